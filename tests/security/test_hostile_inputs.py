"""A few thousand of the inputs of `hostile_inputs` and `walker_fuzz` (benchmarks/robustness), and what they showed."""

from __future__ import annotations

import io
import struct
import warnings
from collections import Counter

import numpy as np
import pytest
from benchmarks.robustness import seeds
from benchmarks.robustness.hostile_inputs import KNOWN
from benchmarks.robustness.hostile_worker import PIECE, Crew, Tally, run_piece
from benchmarks.robustness.mutations import hostile
from benchmarks.robustness.walker_targets import TARGETS, whole_files
from numpy.typing import NDArray

from fauxto.errors import ImageError
from fauxto.evidence.compression_history import requantisation
from fauxto.images import decode
from fauxto.report import Status


@pytest.fixture(scope="module")
def kinds() -> seeds.Kinds:
    return {**seeds.pictures(), **seeds.archives()}


@pytest.fixture(scope="module")
def whole() -> seeds.Kinds:
    return whole_files()


def test_an_input_is_the_same_whatever_comes_before_it_and_most_are_damaged(kinds: seeds.Kinds) -> None:
    files = [hostile(3, number, kinds) for number in range(200)]
    assert hostile(3, 117, kinds) == files[117]
    assert [hostile(4, number, kinds) for number in range(200)] != files
    assert {kind for kind, _ in files} == set(kinds)
    assert sum(data in kinds[kind] for kind, data in files) < 20


@pytest.mark.parametrize("first", [PIECE, 7 * PIECE])
def test_every_input_ends_in_reports_with_a_known_status(first: int, kinds: seeds.Kinds) -> None:
    with warnings.catch_warnings(record=True) as warned:
        tally = run_piece(2, range(first, first + 3 * PIECE), kinds)
    assert (tally.exceptions, tally.failed_sources, tally.crashes) == ({}, {}, {})
    assert warned == []
    words = Counter[str]()
    for statuses in tally.statuses.values():
        words.update(statuses)
    assert set(words) <= KNOWN
    assert set(words) >= {Status.OK, Status.TRUNCATED, Status.UNREADABLE, Status.UNSUPPORTED_FORMAT, Status.TOO_LARGE}
    assert all(tally.statuses[kind][Status.OK] for kind in kinds)


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_raises_only_what_it_documents(name: str, whole: seeds.Kinds) -> None:
    target = TARGETS[name]
    for data in whole[target.kind]:
        target(data)
    for number in range(60):
        target(hostile(5, number, {target.kind: whole[target.kind]})[1])


def test_inputs_that_end_their_worker_are_named() -> None:
    large = seeds.picture(8, 8).resize((1_500, 1_500))  # takes some 50 milliseconds
    with Crew(
        1, {"JPEG": (seeds.saved(large, "JPEG", quality=20),)}, 1, seconds=0.001, megabytes=6_000, piece=2
    ) as crew:
        [(piece, outcome)] = crew.run([1])
    assert (piece, outcome.inputs) == (1, 2)
    assert outcome.crashes == dict.fromkeys(("2", "3"), "took too much processor time")
    outcome.add(Tally.of(Tally(inputs=1, crashes={"9": "ended with exit code -9"}).to_dict()))
    assert (outcome.inputs, list(outcome.crashes)) == (3, ["2", "3", "9"])


def test_a_tiff_whose_jpeg_tables_lie_behind_its_end_is_truncated_without_a_warning() -> None:
    whole = seeds.saved(seeds.picture(32, 32), "TIFF", compression="jpeg")
    order = "<" if whole.startswith(b"II") else ">"
    entry = struct.pack(order + "HH", 347, 7)
    assert whole.count(entry) == 1
    place = whole.index(entry) + 4
    file = io.BytesIO(whole)
    file.seek(place)
    file.write(struct.pack(order + "I", 10_000_000))
    with warnings.catch_warnings(record=True) as warned, pytest.raises(ImageError) as raised:
        decode(file.getvalue())
    assert raised.value.status is Status.TRUNCATED
    assert warned == []


def test_a_jpeg_with_a_quantisation_step_of_zero_is_measured_without_a_warning(photo: NDArray[np.uint8]) -> None:
    steps = (16, 0, *[11] * 62)
    assert requantisation(photo, steps) is None  # a warning would be an error here
