"""What the browser extension keeps and what it finds in a page's frames, without a browser: its files in Node.

Node is the one that comes with Playwright.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

EXTENSION = Path(__file__).resolve().parents[2] / "extension"
SECONDS = 240

BROWSER = """
const stored = new Map(), opened = [];
let broken = false, now = 0;
Date.now = () => ++now;
const session = {
  QUOTA_BYTES: 1000,
  async get(name) {
    return Object.fromEntries([...stored].filter(([other]) => name === null || name === other));
  },
  async set(entry) {
    const size = JSON.stringify({ ...(await session.get(null)), ...entry }).length;
    if (broken || size > session.QUOTA_BYTES) throw new Error("Session storage quota bytes exceeded.");
    Object.entries(entry).forEach(([name, value]) => stored.set(name, value));
  },
  async remove(names) { [names].flat().forEach((name) => stored.delete(name)); },
};
globalThis.chrome = {
  storage: { session },
  windows: { async create({ url }) { opened.push(url); } },
  scripting: { async executeScript({ files }) { return files ? [] : globalThis.answers; } },
};
await import("./kept.mjs");
const { listed } = await import("./pictures.mjs");
const { keep, openCheck } = fauxtoKept;
const values = () => [...stored.values()];
const refusal = async (value) => keep("report", value).then(() => "", (error) => error.message);
"""


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """`run(script)`: what a script's last expression, in an array, is in a browser with 1,000 bytes to keep."""
    for script in EXTENSION.glob("*.js"):
        shutil.copy(script, tmp_path / f"{script.stem}.mjs")

    def run(script: str) -> Any:
        *before, last = script.strip().splitlines()
        lines = [BROWSER, *before, f"console.log(JSON.stringify([{last}]));"]
        (tmp_path / "test.mjs").write_text("\n".join(lines))
        command = [compute_driver_executable()[0], str(tmp_path / "test.mjs")]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    return run


def test_the_oldest_go_first_where_there_is_no_room(run: Any) -> None:
    (texts,) = run(
        """
        for (const letter of "abc") { await keep("job", letter); await keep("report", letter.repeat(250)); }
        values().map((text) => text[0] + text.length)
        """
    )
    assert texts == ["b1", "b250", "c1", "c250"]  # no more go than must


def test_no_more_than_fifty_are_kept(run: Any) -> None:
    numbers, kinds = run(
        """
        session.QUOTA_BYTES = 1e6;
        for (let number = 0; number < 60; number += 1) await keep(number % 2 ? "job" : "report", number);
        values(), [...new Set([...stored.keys()].map((name) => name.split(":")[0]))].sort()
        """
    )
    assert numbers == list(range(10, 60))
    assert kinds == ["job", "report"]


def test_what_is_too_large_for_the_browser_drives_nothing_else_out(run: Any) -> None:
    message, texts = run(
        """
        await keep("report", "a");
        const message = await refusal("\u00fc".repeat(500));
        message, values()
        """
    )
    assert "too large" in message
    assert texts == ["a"]


def test_a_window_opens_also_where_nothing_can_be_kept(run: Any) -> None:
    opened, job, message = run(
        """
        await openCheck({ tab: 1, all: true });
        const job = values();
        broken = true;
        await openCheck({ tab: 2, all: true });
        opened, job, await refusal("a")
        """
    )
    (name, problem) = (url.partition("#")[2] for url in opened)
    assert len(name) > len("0123456789")
    assert problem == "unkept"
    assert "quota" in message
    assert job == [{"tab": 1, "all": True}]
    for script in ("background.js", "popup.js", "check.js", "report.js"):
        assert "storage.session" not in (EXTENSION / script).read_text(), f"{script} saves past kept.js"


def test_pictures_of_all_frames_are_listed_and_those_out_of_reach_counted(run: Any) -> None:
    shop, ads = "https://shop.example", "https://ads.example"
    none = {"urls": [], "small": 0, "unloaded": 0, "more": 0, "frames": []}
    frames = [
        {"path": "0", "origin": shop},
        {"path": "1", "origin": ads},
        {"path": "2", "origin": ""},
    ]
    answers = [
        {"frameId": 7, "result": {**none, "path": "0", "urls": ["c", "d"], "small": 1, "more": 3}},
        {"frameId": 0, "result": {**none, "path": "", "urls": ["a", "b"], "small": 2, "unloaded": 1, "frames": frames}},
        {"frameId": 8, "result": None},
    ]
    ((everything, few),) = run(
        f"""
        globalThis.answers = {json.dumps(answers)};
        [await listed(1, 32, 9), await listed(1, 32, 3)]
        """
    )
    assert [(picture["url"], picture["frame"], picture["number"]) for picture in everything["pictures"]] == [
        ("a", 0, 0),
        ("b", 0, 1),
        ("c", 7, 0),
        ("d", 7, 1),
    ]
    assert (everything["small"], everything["unloaded"], everything["more"]) == (3, 1, 3)
    assert everything["closed"] == [ads, ""]
    assert [picture["url"] for picture in few["pictures"]] == ["a", "b", "c"]
    assert few["more"] == 4
