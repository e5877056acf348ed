"""The watch, look by look, in this process: what is new, what waits, and what a second start makes of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from fauxto.choices import SortAction
from fauxto.detector import Detector
from fauxto.errors import ConfigError
from fauxto.export import jsonl
from fauxto.options import DetectorOptions
from fauxto.report import Report, Status
from fauxto.scan import Scan, items, local, watching
from fauxto.scan.items import Row
from fauxto.scan.sorting import Sorter
from fauxto.scan.watching import Arrival, Watch

Start = Callable[..., AbstractContextManager[Watch]]


@pytest.fixture
def start(golden: DetectorOptions, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Start:
    """`with start(warn=...) as watch`: over the folder `inbox`, judging here instead of in processes of its own."""
    detector = Detector.from_options(golden)
    monkeypatch.setattr(local, "run", lambda given, *_, crew: (items.judge(item, detector) for item in given))
    monkeypatch.chdir(tmp_path)
    Path("inbox").mkdir()

    @contextmanager
    def start(**options: Callable[[str], None]) -> Iterator[Watch]:
        with (
            Scan(["inbox"], Path("out.jsonl"), golden, resume=True, watched=True) as scan,
            Watch(scan, interval=0.01, **options) as watch,
        ):
            yield watch

    return start


def look(watch: Watch, times: int = 1) -> list[Arrival]:
    arrivals = [arrival for _ in range(times) for arrival in watch.look()]
    watch.write(60)
    return arrivals


def rows() -> list[tuple[str, str]]:
    return [(Path(str(report.path)).name, report.status) for report in jsonl.read("out.jsonl")]


def test_a_file_is_judged_once_it_is_as_it_was_a_look_before(start: Start, pictures: Callable[[int], bytes]) -> None:
    growing, data = Path("inbox/growing.png"), pictures(7)
    with start() as watch:
        for end in (0, 100, 200, len(data)):  # the first as browsers do, which make an empty file in advance
            growing.write_bytes(data[:end])
            assert look(watch) == []
        (arrival,) = look(watch)
        assert (arrival.report.status, arrival.file, arrival.is_news) == (Status.OK, "inbox/growing.png", True)
        assert look(watch, 3) == []
    assert rows() == [("growing.png", "ok")]


@pytest.mark.parametrize("name", ["a.jpg.crdownload", "a.jpg.part", "A.JPG.PARTIAL"])
def test_a_download_waits_for_its_name(start: Start, pictures: Callable[[int], bytes], name: str) -> None:
    Path("inbox", name).write_bytes(pictures(1)[:200])
    with start() as watch:
        assert look(watch, 3) == []
        Path("inbox", name).write_bytes(pictures(1))
        Path("inbox", name).rename("inbox/a.jpg")
        assert [arrival.report.path for arrival in look(watch, 2)] == ["inbox/a.jpg"]


def test_a_file_that_stopped_half_way_has_one_row_in_the_end(start: Start, pictures: Callable[[int], bytes]) -> None:
    Path("inbox/slow.png").write_bytes(pictures(7)[:200])
    with start() as watch:
        assert [arrival.report.status for arrival in look(watch, 2)] == [Status.TRUNCATED]
        Path("inbox/slow.png").write_bytes(pictures(7))
        (arrival,) = look(watch, 2)
        assert arrival.is_news
    assert rows() == [("slow.png", "ok")]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_file_that_was_locked_is_judged_once_it_can_be_read(
    start: Start, pictures: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch, *, restarts: bool
) -> None:
    Path("inbox/locked.png").write_bytes(pictures(7))
    with ExitStack() as watches:
        watch = watches.enter_context(start())
        with monkeypatch.context() as locked:
            locked.setattr(Path, "open", _refuse)
            arrivals = [arrival for _ in range(5) for arrival in watch.look()]
            assert [arrival.report.status for arrival in arrivals] == [Status.UNREADABLE]
        if restarts:
            watches.close()
            watch = watches.enter_context(start())
        assert [(arrival.report.status, arrival.is_news) for arrival in look(watch, 5)] == [(Status.OK, True)]
    assert rows() == [("locked.png", "ok")]


def _refuse(path: Path, mode: str) -> NoReturn:
    raise PermissionError(13, "Permission denied", str(path))


def test_a_second_start_judges_what_came_meanwhile_and_nothing_twice(
    start: Start, pictures: Callable[[int], bytes]
) -> None:
    Path("inbox/a.png").write_bytes(pictures(0))
    with start() as watch:
        look(watch, 2)
    Path("out.jsonl").unlink()  # as after a kill between the row and the table
    Path("inbox/b.png").write_bytes(pictures(7))
    with start() as watch:
        assert [arrival.report.path for arrival in look(watch, 3)] == ["inbox/b.png"]
    assert rows() == [("a.png", "ok"), ("b.png", "ok")]
    with start() as watch:
        assert watch.write(0)
        assert look(watch, 3) == []


def test_another_picture_of_the_same_name_has_a_row_of_its_own(start: Start, pictures: Callable[[int], bytes]) -> None:
    picture = Path("inbox/image.png")
    with start() as watch:
        for number in (0, 7):
            picture.write_bytes(pictures(number))
            (arrival,) = look(watch, 2)
            assert arrival.is_news
        os.utime(picture, (1, 1))  # saved again, as it was
        (arrival,) = look(watch, 2)
        assert not arrival.is_news
    assert rows() == [("image.png", "ok")] * 2
    assert len({report.image and report.image.sha256 for report in jsonl.read("out.jsonl")}) == 2


def test_after_a_restart_a_new_picture_isnt_sorted_by_the_verdict_of_an_old_one(
    start: Start, pictures: Callable[[int], bytes]
) -> None:
    sorter = Sorter(SortAction.MOVE, Path("sorted"), ["inbox"])
    Path("inbox/a.png").write_bytes(pictures(0))
    Path("inbox/b.png").write_bytes(pictures(7))
    with start() as watch:
        look(watch, 2)
        Path("inbox/a.png").write_bytes(pictures(14))  # between the row and the sorting, which a kill prevented
    with start() as watch:
        assert sorter.sort(watch.judged()) == 1
        assert [path.name for path in Path("sorted").rglob("*.png")] == ["b.png"]
        (arrival,) = look(watch, 2)
        assert arrival.file == "inbox/a.png"


def test_a_folder_that_goes_away_costs_a_sentence_and_no_row(start: Start, pictures: Callable[[int], bytes]) -> None:
    Path("inbox/a.png").write_bytes(pictures(0))
    warnings: list[str] = []
    with start(warn=warnings.append) as watch:
        look(watch, 2)
        Path("inbox").rename("elsewhere")
        assert look(watch, 3) == []
        assert len(warnings) == 1
        assert "inbox: the folder can't be listed" in warnings[0]
        Path("elsewhere").rename("inbox")
        Path("inbox/b.png").write_bytes(pictures(7))
        assert [arrival.report.path for arrival in look(watch, 2)] == ["inbox/b.png"]
    assert rows() == [("a.png", "ok"), ("b.png", "ok")]


def test_what_isnt_there_long_enough_to_be_judged_has_no_row(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("inbox/a.png").write_bytes(b"x")
    with start() as watch:
        look(watch)
        judge = local.run
        monkeypatch.setattr(
            local, "run", lambda given, *_, crew: [Path("inbox/a.png").unlink(), *judge(given, crew=crew)][1:]
        )
        assert look(watch) == []
    assert not Path("out.jsonl.journal").exists()  # it is empty


def test_a_table_that_cant_be_written_is_written_later(
    start: Start, pictures: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    Path("inbox/a.png").write_bytes(pictures(0))
    with start(warn=warnings.append) as watch:
        with monkeypatch.context() as patch:
            patch.setattr(Scan, "write", lambda self: Path("no/such/folder").write_text(""))
            look(watch, 2)
            assert not watch.write(60)
        assert len(warnings) == 1
        assert watch.write(60)
    assert rows() == [("a.png", "ok")]


def test_a_scan_doesnt_go_on_with_the_journal_of_a_watch(
    start: Start, golden: DetectorOptions, pictures: Callable[[int], bytes]
) -> None:
    Path("inbox/a.png").write_bytes(pictures(0))
    with start() as watch:
        look(watch, 2)
    with pytest.raises(ConfigError, match="another"):
        Scan(["inbox"], Path("out.jsonl"), golden, resume=True)


def test_what_a_file_is_called_does_not_make_it_one_to_judge_again() -> None:
    path = "a can't be read: b.jpg"
    for sentence, is_closed in ((f"{path} is damaged", False), ("the file can't be read: in use", True)):
        report = Report.unjudged(path, Status.UNREADABLE, sentence)
        row = Row(f"{path}\0 1-1", Status.UNREADABLE, None, json.dumps(report.to_dict()), path)
        assert watching._was_closed(row) is is_closed, sentence
