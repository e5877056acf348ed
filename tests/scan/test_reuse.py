"""Copies of a picture are judged once, and get the very row that judging would give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fauxto import detector, images
from fauxto.detector import Detector
from fauxto.options import DetectorOptions
from fauxto.scan import reuse
from fauxto.scan.items import Item, judge
from fauxto.scan.reuse import ReusingDetector


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    names: list[str | None] = []
    decode = images.decode

    def count(data: bytes, *arguments: object, name: str | None = None) -> images.Image:
        names.append(name)
        return decode(data, *arguments, name=name)  # type: ignore[arg-type]

    monkeypatch.setattr(detector.images, "decode", count)
    return names


def test_copies_get_the_rows_that_judging_gives(
    tmp_path: Path, golden: DetectorOptions, pictures: Callable[[int], bytes], decoded: list[str | None]
) -> None:
    names = ["1.jpg", "copy.JPG", "deep.jpg/without", "misnamed.png", "other.jpg", "broken.jpg", "broken too.jpg"]
    (tmp_path / "deep.jpg").mkdir()
    for name in names:
        content = pictures(2) if name == "other.jpg" else pictures(1)
        (tmp_path / name).write_bytes(b"no picture" if "broken" in name else content)
    items = [Item(str(tmp_path / name), str(tmp_path / name), str(tmp_path / name)) for name in [*names, "gone.jpg"]]
    items += [Item("x.zip!/1.jpg", "x.zip!/1.jpg", pictures(1))]
    reusing = ReusingDetector.from_options(golden, threads=1)
    rows = [judge(item, reusing) for item in items]
    assert [str(Path(str(name)).relative_to(tmp_path)) for name in decoded] == names[:1] + names[2:]
    assert rows == [judge(item, Detector.from_options(golden, threads=1)) for item in items]
    assert ["name_mismatch" in row.report for row in rows] == [row.key.endswith(".png") for row in rows]


def test_what_is_kept_is_bounded(
    golden: DetectorOptions,
    pictures: Callable[[int], bytes],
    decoded: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reusing = ReusingDetector.from_options(golden, threads=1)
    monkeypatch.setattr(reuse, "_CHARACTERS", 10_000)
    for number in range(1, 40):
        reusing.analyze(pictures(number), name="x.jpg")
        reusing.analyze(pictures(1), name="used.jpg")  # what is used stays
    assert len(reusing._kept._reports) < 12
    assert len(decoded) == len({pictures(number) for number in range(1, 40)})
    before = len(decoded)
    reusing.analyze(pictures(2), name="x.jpg")
    assert len(decoded) == before + 1


def test_a_report_that_is_kept_twice_counts_once(golden: DetectorOptions, pictures: Callable[[int], bytes]) -> None:
    report = Detector.from_options(golden, threads=1).analyze(pictures(1))
    kept = reuse._Kept()
    kept.add((b"1", "jpg"), report)
    once = kept._characters
    kept.add((b"1", "jpg"), report)
    assert kept._characters == once
