"""Many files in the background: what comes out of uploads and archives, and how a batch goes on and ends."""

from __future__ import annotations

import gc
import io
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from fauxto.detector import Detector
from fauxto.errors import BundleFormatError
from fauxto.limits import Limits
from fauxto.report import Reason, Report, Status, Verdict
from fauxto.web import batch as batches
from fauxto.web import uploads
from fauxto.web.batch import Batch, File
from fauxto.web.short_names import short_names

Png = Callable[..., bytes]
SECONDS = 60
APPLE_DOUBLE = bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(60)


@dataclass
class Upload:
    name: str
    data: bytes


def archive(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return file.getvalue()


def finished(detector: Detector, files: Sequence[File | Report]) -> Batch:
    batch = Batch(detector, files, len(files))
    batch.join(SECONDS)
    assert batch.has_ended
    return batch


def test_a_batch_keeps_the_order_and_loses_nothing_to_bad_files(golden_detector: Detector, png: Png) -> None:
    refused = Report.unjudged("c.zip!/../c.png", Status.UNREADABLE, "No.", word="unsafe_name")
    files = [File("a.png", png("generated")), File("b.jpg", b"text"), refused, File("d.png", png("photograph"))]
    batch = finished(golden_detector, files)
    verdicts = [one.report.verdict for one in batch.checked]
    assert verdicts == [Verdict.AI, None, None, Verdict.REAL]
    assert batch.checked[2].report is refused
    assert [one.thumbnail is not None for one in batch.checked] == [True, False, False, True]
    assert [one.data for one in batch.checked] == [png("generated"), b"", b"", png("photograph")]
    assert batch.seconds_left() == 0.0
    assert batch.problem == ""


def test_only_so_many_bytes_of_the_files_are_kept(
    golden_detector: Detector, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = png("generated")
    monkeypatch.setattr(batches, "KEPT_BYTES", 2 * len(data))
    batch = finished(golden_detector, [File(f"{number}.png", data) for number in range(4)])
    assert [bool(entry.data) for entry in batch.checked] == [True, True, False, False]
    assert all(entry.thumbnail for entry in batch.checked)
    assert 2 * len(data) < batch.bytes_kept
    batch.clear()
    assert batch.bytes_kept == 0


def test_what_nobody_foresaw_costs_one_file_its_verdict(
    golden_detector: Detector, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source of evidence that breaks, say, for those may come from other packages."""
    analyze = Detector.analyze

    def breaks(self: Detector, source: bytes, *, name: str) -> Report:
        if name == "b.png":
            raise ZeroDivisionError("by zero")
        return analyze(self, source, name=name)

    monkeypatch.setattr(Detector, "analyze", breaks)
    batch = finished(golden_detector, [File(f"{letter}.png", png("generated")) for letter in "abc"])
    assert [one.report.verdict for one in batch.checked] == [Verdict.AI, None, Verdict.AI]
    assert batch.checked[1].report.reasons == (Reason("internal_error", "ZeroDivisionError: by zero"),)
    assert batch.problem == ""


def test_files_that_cannot_be_read_any_further_end_the_batch_and_are_told(golden_detector: Detector, png: Png) -> None:
    def breaks() -> Iterator[File]:
        yield File("a.png", png("generated"))
        raise ZeroDivisionError("by zero")

    batch = Batch(golden_detector, breaks(), 2)
    batch.join(SECONDS)
    assert batch.has_ended
    assert len(batch.checked) == 1
    assert batch.problem == "internal error: ZeroDivisionError: by zero"


def test_a_network_that_fails_ends_the_batch_and_is_told(
    golden_detector: Detector, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Detector, source: bytes, *, name: str) -> Report:
        raise BundleFormatError("no network")

    monkeypatch.setattr(Detector, "analyze", fails)
    batch = finished(golden_detector, [File("a.png", png("generated"))])
    assert batch.problem == "no network"
    assert batch.checked == []


@pytest.mark.parametrize("end", ["stop", "drop"])
def test_a_batch_ends_when_it_is_stopped_or_nobody_holds_it_any_more(
    golden_detector: Detector, png: Png, end: str
) -> None:
    given, go_on = threading.Event(), threading.Semaphore(0)
    data, taken = png("generated"), []

    def endless() -> Iterator[File]:
        while True:
            given.set()
            assert go_on.acquire(timeout=SECONDS)
            taken.append(1)
            yield File("a.png", data)

    batch = Batch(golden_detector, endless(), 1_000)
    thread = batch._thread
    assert given.wait(SECONDS)
    assert batch.seconds_left() is None
    if end == "stop":
        batch.stop()
    else:
        del batch
        gc.collect()
    go_on.release()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert len(taken) == 1


def test_the_members_of_a_zip_become_files_with_both_names(png: Png) -> None:
    data = archive(**{"in/a.png": png("generated"), "b.txt": b"text"})
    given = [Upload("c.png", png("photograph")), Upload("many.zip", data)]
    assert uploads.count(given) == 3
    assert list(uploads.read(given, Limits())) == [
        File("c.png", png("photograph")),
        File("many.zip!/in/a.png", png("generated")),
        File("many.zip!/b.txt", b"text"),
    ]


def test_what_a_mac_adds_to_a_zip_is_passed_over_and_takes_no_room(
    golden_detector: Detector, png: Png, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    members = {"a.png": png("generated"), "__MACOSX/._a.png": APPLE_DOUBLE, ".DS_Store": b"", "b.png": APPLE_DOUBLE}
    data = archive(**members, **{"__MACOSX/c.png": png("photograph"), "d.txt": b"text", "e.png": b"the fourth"})
    given = [Upload("many.zip", data), Upload("Thumbs.db", b"thumbnails")]
    assert uploads.count(given) == 4  # b.png can't be known by its name, nor the picture in a system folder
    batch = Batch(golden_detector, uploads.read(given, Limits()), uploads.count(given))
    batch.join(SECONDS)
    paths = [checked.report.path for checked in batch.checked]
    assert paths == [f"many.zip!/{name}" for name in ("a.png", "__MACOSX/c.png", "d.txt")]
    assert batch.passed_over == 3
    assert batch.is_complete


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (archive(**{"../a.png": b"x"}), "unsafe_name"),
        (archive(a=b"x" * 1_000)[:-30], "damaged_archive"),
        (b"PK\x03\x04 and nothing more", "damaged_archive"),
        (archive(a=bytes(2_000)), "too_large"),
    ],
    ids=["path out", "cut", "no archive", "large member"],
)
def test_what_is_wrong_with_a_zip_is_one_report(data: bytes, said: str) -> None:
    given = [Upload("many.zip", data)]
    [report] = list(uploads.read(given, Limits(max_bytes=1_000)))
    assert isinstance(report, Report)
    assert report.reasons[0].word == said
    assert report.verdict is None
    assert uploads.count(given) == 1


def test_a_zip_bomb_ends_in_a_sentence() -> None:
    piece = bytes(100 * 1024 * 1024)
    given = [Upload("bomb.zip", archive(**{f"{number}.bmp": piece for number in range(4)}))]
    sizes = [
        len(file.data) if isinstance(file, File) else file.reasons[0].word for file in uploads.read(given, Limits())
    ]
    assert len(given[0].data) < 500_000
    assert sizes[:-1] == [len(piece)] * 2  # more than 256 MB are too much for so small an archive
    assert sizes[-1] == "archive_bomb"


def test_no_more_files_are_taken_than_a_batch_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_FILES", 3)
    given = [Upload("many.zip", archive(a=b"1", b=b"2")), Upload("more.zip", archive(c=b"3", d=b"4"))]
    assert uploads.count(given) == 4
    files = [file for file in uploads.read(given, Limits()) if isinstance(file, File)]
    assert [file.data for file in files] == [b"1", b"2", b"3"]


def test_the_page_calls_files_by_their_names_and_folders_only_where_need_be() -> None:
    paths = ["z.zip!/in/a.png", "z.zip!/fake/b.png", "z.zip!/real/b.png", "y.zip!/real/c.png", "z.zip!/real/c.png", ""]
    assert short_names(paths) == dict(
        zip(paths, ["a.png", "fake/b.png", "real/b.png", "y.zip!/real/c.png", "z.zip!/real/c.png", ""], strict=True)
    )
    assert short_names(["d\\e.png", "z.zip!/", "f.png", "f.png"]) == {
        "d\\e.png": "e.png",
        "z.zip!/": "z.zip!/",
        "f.png": "f.png",
    }
