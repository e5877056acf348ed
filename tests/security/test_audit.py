"""The audit of packages passes on no news only where it says that there are none."""

from __future__ import annotations

import json
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
