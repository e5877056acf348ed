"""How long the page lets people wait: for its first paint, a first verdict, and a click while a batch runs.

python -m benchmarks.speed.web_page [--rounds N] [--batch FILES] [--batches N] [--zip FILES]

Starts `fauxto app` with the built-in models and drives it with headless Chromium on the same cores, browser included in
every figure. The pictures are JPEGs of 12 megapixels: a photograph of scikit-image's, enlarged, with grain.
`--batches 10` judges so many batches of 400 of a megapixel in one tab, and notes the memory after each; `--zip 400`
uploads so many large ones as one archive. Both take minutes and some gigabytes of memory. Needs the extra `dev` and
Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from skimage import data

from benchmarks import results
from benchmarks.running_service import RunningPage
from benchmarks.speed import scan_capacity

NAME = "web-page"
SIZE = 4000, 3000
GRAIN = 5.0
SECONDS = 600
PATIENCE = 1000 * SECONDS
GOAL_SECONDS, GOAL_PAINT_SECONDS = 1.5, 2.0
FILES_OF_A_BATCH = 400


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write results/web-page.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="first verdicts, and clicks on an idle page")
    parser.add_argument("--batch", type=int, default=60, help="files of the batch beside which clicks are measured")
    parser.add_argument("--batches", type=int, default=0, help="batches of 400 files in one tab, for memory after each")
    parser.add_argument("--zip", type=int, default=0, help="files of an archive to upload too")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        pictures = [_picture(Path(temporary), seed) for seed in range(4)]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        started = time.perf_counter()
        with RunningPage() as app:
            answering = time.perf_counter() - started
            figures = {
                "load": round(os.getloadavg()[0], 1),
                "picture": {"megapixels": SIZE[0] * SIZE[1] / 1e6, "bytes": pictures[0].stat().st_size},
                "start": _start(browser, app.address, answering),
                "first_verdict_seconds": _first_verdicts(browser, app.address, pictures, options.rounds),
                **_clicks(browser, app.address, pictures, options.rounds, options.batch),
            }
            if options.batches:
                smaller = [_picture(Path(temporary), seed, (1200, 900)) for seed in range(4, 8)]
                figures["batches"] = _batches(browser, app, smaller, options.batches)
            if options.zip:
                archive = _archive(Path(temporary), pictures, options.zip)
                waits = _zip(browser, app.address, archive)
                figures["zip"] = {"files": options.zip, "bytes": archive.stat().st_size, **waits}
            figures["peak_megabytes"] = _peak_megabytes(app.process_id)
        browser.close()
    print(json.dumps(figures, indent=1))
    packages = ("fauxto", "numpy", "onnxruntime", "pillow", "streamlit", "playwright")
    print(f"wrote {results.write(NAME, figures, packages).name}")
    scan_capacity.main()


def _picture(folder: Path, seed: int, size: tuple[int, int] = SIZE) -> Path:
    large = np.asarray(Image.fromarray(data.coffee()).resize(size), np.float32)
    grain = np.random.default_rng(seed).normal(0, GRAIN, large.shape[:2]).astype(np.float32)
    path = folder / f"{seed}.jpg"
    Image.fromarray((large + grain[..., None]).clip(0, 255).astype(np.uint8)).save(path, quality=88)
    return path


def _archive(folder: Path, pictures: Sequence[Path], count: int) -> Path:
    path = folder / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            archive.write(pictures[number % len(pictures)], f"{number:04}.jpg")
    return path


def _open(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_role("heading", level=1).wait_for()
    page.locator("input[type=file]").first.wait_for(state="attached")
    return page


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(seconds), 2),
        "worst": round(max(seconds), 2),
        "times": len(seconds),
    }


def _start(browser: Browser, address: str, answering: float) -> dict[str, float]:
    """From the start of the command to an answer, and on to something on the screen and a page that takes pictures."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    started = time.perf_counter()
    page.goto(address)
    page.locator("input[type=file]").first.wait_for(state="attached")
    ready = time.perf_counter() - started
    entry = "performance.getEntriesByName('first-contentful-paint')[0]"
    page.wait_for_function(entry)
    paint = page.evaluate(f"{entry}.startTime") / 1000
    page.context.close()
    return {
        "goal_of_paint": GOAL_PAINT_SECONDS,
        "answers_after_seconds": round(answering, 2),
        "then_paints_after_seconds": round(paint, 2),
        "then_ready_after_seconds": round(ready, 2),
    }


def _first_verdicts(browser: Browser, address: str, pictures: Sequence[Path], rounds: int) -> dict[str, Any]:
    """From the file's choice to its verdict, each in a session of its own; the very first pays for the networks."""
    taken = []
    for number in range(rounds + 1):
        page = _open(browser, address)
        started = time.perf_counter()
        page.locator("input[type=file]").first.set_input_files(pictures[number % len(pictures)])
        page.locator("[class*=st-key-card] h2").wait_for()
        taken.append(time.perf_counter() - started)
        page.context.close()
    return {"goal": GOAL_SECONDS, "after_start": round(taken[0], 2), "after_that": _summary(taken[1:])}


def _clicks(
    browser: Browser, address: str, pictures: Sequence[Path], rounds: int, files: int
) -> dict[str, dict[str, Any]]:
    own, other = _open(browser, f"{address}/many"), _open(browser, address)
    idle = [_answers(own, other) for _ in range(rounds)]
    _start_batch(own, pictures, files)
    own.get_by_role("button", name="Stop here").wait_for()
    started, beside = time.perf_counter(), []
    while not own.get_by_role("tab", name="Downloads").is_visible():
        beside.append(_answers(own, other))
    seconds = round(time.perf_counter() - started, 1)
    for page in (own, other):
        page.context.close()
    return {
        "batch": {"files": files, "seconds": seconds},
        "seconds_until_a_click_is_answered": {
            what: {when: _summary([one[what] for one in all_of]) for when, all_of in _named(idle, beside)}
            for what in idle[0]
        },
    }


def _start_batch(page: Page, pictures: Sequence[Path], files: int) -> None:
    chosen = [pictures[number % len(pictures)] for number in range(files)]
    page.locator("input[type=file]").first.set_input_files(chosen)
    page.get_by_role("button", name="Check them").click()


def _batches(browser: Browser, app: RunningPage, pictures: Sequence[Path], batches: int) -> dict[str, Any]:
    """Judge batches one after the other in one tab; the files of one go when the next one starts."""
    page = _open(browser, f"{app.address}/many")
    seconds, megabytes = [], []
    for _ in range(batches):
        started = time.perf_counter()
        _start_batch(page, pictures, FILES_OF_A_BATCH)
        page.get_by_role("button", name="Stop here").wait_for()
        page.get_by_role("tab", name="Downloads").wait_for()
        page.get_by_text(f"{FILES_OF_A_BATCH} of {FILES_OF_A_BATCH} files were judged").first.wait_for(state="attached")
        seconds.append(round(time.perf_counter() - started, 1))
        megabytes.append(round(sum(app.megabytes().values()), 1))
    page.context.close()
    return {"files": FILES_OF_A_BATCH, "seconds": seconds, "megabytes_after": megabytes}


def _named(idle: list[dict[str, float]], beside: list[dict[str, float]]) -> list[tuple[str, list[dict[str, float]]]]:
    return [("idle", idle), *([("beside_a_batch", beside)] if beside else [])]


def _answers(own: Page, other: Page) -> dict[str, float]:
    """Click about in the session that has the batch, and in another one."""
    sample, card = other.get_by_text("A drawing with a generator's note"), other.locator("[class*=st-key-card] h2")

    def judge() -> None:
        sample.click()
        card.wait_for()

    answers = {
        "same_session_another_page": _seconds(lambda: _go(own, "Models")),
        "same_session_back_to_the_batch": _seconds(lambda: _go(own, "Check many")),
        "other_session_a_thumbnail_judged": _seconds(judge),
    }
    sample.click()
    card.wait_for(state="detached")
    return answers


def _go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", level=1, name=re.compile(name, re.IGNORECASE)).wait_for()


def _zip(browser: Browser, address: str, archive: Path) -> dict[str, float]:
    page = _open(browser, f"{address}/many")

    def upload() -> None:
        page.locator("input[type=file]").first.set_input_files(archive)
        page.get_by_role("button", name="Check them").wait_for()

    def judge() -> None:
        page.get_by_role("button", name="Check them").click()
        page.get_by_role("tab", name="Downloads").wait_for()

    taken = {"upload_seconds": round(_seconds(upload), 1), "judged_seconds": round(_seconds(judge), 1)}
    page.context.close()
    return taken


def _peak_megabytes(process: int) -> int | None:
    """Return the most memory that the page's process had resident (Linux)."""
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return round(int(found[1]) / 1024) if found else None


if __name__ == "__main__":
    main()
