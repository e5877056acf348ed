"""Mutated files, a seeded part of what `python -m benchmarks.robustness.service_fuzz` sends."""

from __future__ import annotations

import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fauxto.errors import ImageError
from fauxto.images import decode
from fauxto.limits import Limits
from fauxto.report import Status

FUZZ = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks/robustness/service_fuzz.py"))


def test_the_same_seed_makes_the_same_files_and_most_are_damaged():
    files = list(FUZZ["mutated"](3, 400))
    assert files == list(FUZZ["mutated"](3, 400))
    assert files != list(FUZZ["mutated"](4, 400))
    assert len({data[:4] for data in FUZZ["whole_files"]()}) == 8
    assert all(decode(data).facts.width in (48, 64) for data in FUZZ["whole_files"]())


@pytest.mark.parametrize("seed", [11, 12])
def test_the_gate_gives_pictures_or_documented_statuses(seed):
    limits = Limits(max_pixels=4_000_000)
    found = set()
    for data in FUZZ["mutated"](seed, 1_500):
        try:
            found.add(decode(data, limits).facts.format)
        except ImageError as error:
            found.add(error.status)
    assert found >= {"JPEG", "BMP", Status.TRUNCATED, Status.UNREADABLE, Status.UNSUPPORTED_FORMAT}


def test_the_service_gives_documented_answers_and_keeps_its_workers(service):
    workers = service.workers()
    files = list(FUZZ["mutated"](13, 400))
    with ThreadPoolExecutor(3) as pool:
        reports = list(pool.map(service.analyze, files))
    assert {report["status"] for report in reports} <= set(Status)
    assert {report["status"] for report in reports} >= {"ok", "truncated", "unreadable"}
    assert not [report for report in reports if "process that read it ended" in " ".join(report["reasons"])]
    assert service.workers() == workers
