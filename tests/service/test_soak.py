"""A few seconds of the hours of `python -m benchmarks.robustness.service_soak`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.robustness.service_soak import MAX_MEGABYTES, good_pictures, soak, summary
from benchmarks.running_service import RunningService

SECONDS = 6.0


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory and open files are read from /proc")
def test_no_answer_is_lost_or_mixed_up_under_four_clients(tmp_path: Path) -> None:
    pictures, huge = good_pictures()
    limits = ("--workers", "1", "--max-megabytes", str(MAX_MEGABYTES))
    with RunningService(*limits, TMPDIR=str(tmp_path)) as service:
        seen = soak(service, pictures, huge, 4, SECONDS, seed=1)
    assert seen.faults == {}
    assert seen.answers["right"] > 0
    assert list(tmp_path.iterdir()) == []
    (window,) = summary(seen, 0, SECONDS, 1)
    assert window["handles"] > 0 < window["megabytes"]
