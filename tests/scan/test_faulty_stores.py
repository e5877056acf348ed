"""A store that fails is asked again; where it goes on failing, a row says so, and a resumed scan asks anew."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fauxto.detector import Detector
from fauxto.export import jsonl
from fauxto.limits import Limits
from fauxto.options import DetectorOptions
from fauxto.scan import Scan, stores
from fauxto.scan.archives import Archive
from fauxto.scan.items import Item, judge

fsspec = pytest.importorskip("fsspec", reason="the extra 'scale' isn't installed")


class Failing(io.BytesIO):
    """An object whose reading fails as often as `times` says, with an error of some library's own."""

    def __init__(self, data: bytes, times: list[int]) -> None:
        super().__init__(data)
        self._times = times

    def read(self, size: int | None = -1) -> bytes:
        if self._times[0]:
            self._times[0] -= 1
            raise ArithmeticError("503 Slow Down")
        return super().read(size)


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch, pictures: Callable[[int], bytes]) -> Iterator[list[int]]:
    """How often a reading fails from now on."""
    members = io.BytesIO()
    with zipfile.ZipFile(members, "w") as archive:
        archive.writestr("in.jpg", pictures(2))
    store = fsspec.filesystem("memory")
    store.pipe({"/faulty/a.jpg": pictures(1), "/faulty.zip": members.getvalue()})
    remaining = [0]
    monkeypatch.setattr(stores, "_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(type(store), "open", lambda _, path, *__, **___: Failing(store.cat_file(path), remaining))
    yield remaining
    store.rm("/faulty", recursive=True)
    store.rm("/faulty.zip")


ITEM = Item("memory:///faulty/a.jpg", "memory:///faulty/a.jpg", "memory:///faulty/a.jpg")


def test_what_fails_for_a_moment_is_read(
    times: list[int], golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    detector = Detector.from_options(golden, threads=1)
    times[0] = 2
    row = judge(ITEM, detector)
    assert times == [0]
    assert json.loads(row.report)["score"] == detector.analyze(pictures(1)).score
    times[0] = 2
    (member,) = Archive("memory:///faulty.zip").items(Limits(), lambda key: False)
    assert member.source == pictures(2)


def test_what_goes_on_failing_is_a_row_and_asked_anew_by_a_resumed_scan(
    times: list[int], golden: DetectorOptions, tmp_path: Path
) -> None:
    times[0] = 99
    row = judge(ITEM, Detector.from_options(golden, threads=1))
    assert times[0] <= 96
    (reason,) = json.loads(row.report)["reasons"]
    assert reason.startswith("store_error: the store failed several times (ArithmeticError: 503")
    (rest,) = Archive("memory:///faulty.zip").items(Limits(), lambda key: False)
    assert str(rest.source.reasons[0]).startswith("store_error: the rest isn't readable")  # type: ignore[union-attr]
    out = tmp_path / "out.jsonl"
    with Scan(["memory://faulty.zip", str(tmp_path / "gone.jpg")], out, golden) as scan:
        assert scan.run(workers=1) == 2
        assert list(scan.failed_sources()) == ["memory://faulty.zip", str(tmp_path / "gone.jpg")]
    times[0] = 0
    with Scan(["memory://faulty.zip", str(tmp_path / "gone.jpg")], out, golden, resume=True) as scan:
        assert scan.run(workers=1) == 1
        scan.write()
    assert [report.status for report in jsonl.read(out)] == ["not_found", "ok"]


@pytest.mark.parametrize(("part", "method"), [(zipfile.ZipFile, "open"), (zipfile.ZipExtFile, "read")])
def test_a_store_that_fails_within_an_archive_ends_it_with_a_row_to_ask_anew(
    part: type, method: str, times: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise stores.StoreError("the store failed several times (503)")

    monkeypatch.setattr(part, method, fail)
    (row,) = Archive("memory:///faulty.zip").items(Limits(), lambda key: False)
    assert str(row.source.reasons[0]).startswith("store_error: the rest isn't readable")  # type: ignore[union-attr]
    assert times == [0]


@pytest.mark.parametrize("error", [RuntimeError("no connection"), ValueError("no address")])
def test_a_store_that_cannot_even_be_opened_costs_a_row(
    error: Exception, times: list[int], golden: DetectorOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(fsspec, "filesystem", fail)
    (reason,) = json.loads(judge(ITEM, Detector.from_options(golden, threads=1)).report)["reasons"]
    assert f"the object can't be opened ({type(error).__name__}" in reason
    assert times == [0]


def test_what_is_not_there_is_not_asked_for_again(times: list[int]) -> None:
    calls = []

    def ask() -> None:
        calls.append(1)
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        stores._tried(ask)
    assert calls == [1]
