"""One time of each of two faults that `python -m benchmarks.robustness.scan_faults` tries a hundred times."""

from __future__ import annotations

import shutil
import sys

import pytest
from benchmarks.robustness.scan_faults import FAULTS, Fault, Place, prepared

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not sys.platform.startswith("linux") or shutil.which("cc") is None, reason="needs Linux and a C compiler"
    ),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return prepared(tmp_path_factory.mktemp("faults"), files=30, seed=1)


@pytest.mark.parametrize("name", ["clock", "changes"])
def test_a_disturbed_scan_writes_the_table_of_an_undisturbed_one(place: Place, name: str) -> None:
    fault = Fault()
    FAULTS[name](place, fault)
    assert (fault.reached, fault.equal_tables, fault.broke) == (1, 1, [])
