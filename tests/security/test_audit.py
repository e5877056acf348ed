"""The audit of packages passes on no news only where it says that there are none; each threat has its test."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

judge = runpy.run_path(str(Path(__file__).with_name("audit.py")))["judge"]
CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}]}
SKIPPED = {"name": "c", "version": "3", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([CLEAN, SKIPPED], 0, "in 1 of 2 packages"),
        ([CLEAN, BAD], 1, "b 2: CVE-1"),
        ([SKIPPED], 0, "NONE of 1 packages"),
        (None, 0, "NOTHING was audited"),
    ],
)
def test_what_the_audit_says(packages, code, words):
    answer = "" if packages is None else json.dumps({"dependencies": packages, "fixes": []})
    found, said = judge(answer)
    assert found == code
    assert words in said


def test_each_threat_names_a_test_that_there_is() -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs/explanation/threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 60
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (root / file).read_text("utf-8")]
    assert missing == []
    untested = [line for line in page.splitlines() if line.endswith("| none |")]
    assert len(untested) == 1, "every threat has a test, but for listening on the way, which the proxy's TLS prevents"
