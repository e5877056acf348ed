"""What a network sees of a picture: the whole, its centre, and crops; and how several parts make one score."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from fauxto import bundles
from fauxto.bundles.network import Network
from fauxto.preprocessing import Input, Pixels, View, reduced, resize, views
from fauxto.reencoding import jpeg, reencode, shrink

GOLDEN = Path(__file__).parents[1] / "golden" / "bundle"


def of(names: tuple[View, ...], crops: int, height: int = 32, width: int = 32) -> Input:
    return Input(names, crops, height, width, scale=1.0, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


def where(height: int, width: int) -> Pixels:
    """A picture of which every pixel says where it is: uint8 [height, width, 3] of its row, column and both in 256s."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows % 256, columns % 256, 16 * (rows // 256) + columns // 256], axis=-1).astype(np.uint8)


def position(part: Pixels) -> tuple[int, int]:
    row, column, both = part[0, 0].tolist()
    return row + 256 * (both // 16), column + 256 * (both % 16)


def test_a_picture_of_the_input_size_is_seen_as_it_is() -> None:
    rgb = where(32, 32)
    parts = views(rgb, of(("whole",), 0))
    assert parts.shape == (1, 32, 32, 3)
    assert np.shares_memory(parts, rgb)


def test_the_whole_and_the_centre_are_squeezed_into_the_input() -> None:
    rgb = where(100, 200)
    whole, centre = views(rgb, of(("whole", "centre"), 0))
    assert (whole == resize(rgb, 32, 32)).all()
    assert (centre == resize(rgb[19:81, 38:162], 32, 32)).all()


def test_views_come_before_crops() -> None:
    rgb = where(100, 200)
    parts = views(rgb, of(("centre", "whole"), 2))
    assert parts.shape == (4, 32, 32, 3)
    assert (parts[:2] == views(rgb, of(("centre", "whole"), 0))).all()
    assert (parts[2:] == views(rgb, of((), 2))).all()


def test_crops_start_in_the_middle_and_are_spread_over_the_picture() -> None:
    rgb = where(532, 1032)
    crops = views(rgb, of((), 16))
    positions = [position(crop) for crop in crops]
    for (row, column), crop in zip(positions, crops, strict=True):
        assert (crop == rgb[row : row + 32, column : column + 32]).all()
    assert positions[0] == (250, 500)
    assert len({(row // 126, column // 251) for row, column in positions}) >= 12  # of the sixteen parts of the picture
    assert [position(crop) for crop in views(rgb, of((), 5))] == positions[:5]


def test_one_crop_keeps_no_whole_picture_in_memory() -> None:
    rgb = where(400, 400)
    assert not np.shares_memory(views(rgb, of((), 1)), rgb)


@pytest.mark.parametrize("size", [(16, 16), (8, 100), (100, 8), (1, 1), (1, 60_000), (32, 20)])
def test_a_picture_smaller_than_the_window_is_enlarged(size: tuple[int, int]) -> None:
    rgb = where(*size)
    crops = views(rgb, of((), 3, 32, 64))
    assert crops.shape == (3, 32, 64, 3)
    if size == (16, 16):
        assert (crops[0] == resize(rgb[4:12], 32, 64)).all()


@pytest.mark.parametrize(
    ("names", "crops", "rule"),
    [
        ((), 0, "views must have an entry where there are no crops"),
        (("whole", "whole"), 0, "views must not name a view twice"),
        (("whole",), 17, "crops must be 0 to 16"),
        (("whole",), -1, "crops must be 0 to 16"),
    ],
)
def test_an_input_that_makes_no_sense_is_refused(names: tuple[View, ...], crops: int, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        of(names, crops)


def test_re_encoding_shrinks_and_saves() -> None:
    rgb = where(600, 1024)
    assert shrink(rgb, 512).shape == (300, 512, 3)
    assert shrink(rgb, 1024) is rgb
    assert (reencode(rgb) == jpeg(shrink(rgb, 512), 60)).all()
    assert (reencode(shrink(rgb, 512)) == reencode(rgb)).all()
    assert not (reencode(rgb) == shrink(rgb, 512)).all()


def test_the_score_of_a_picture_is_the_mean_over_its_parts(tmp_path: Path) -> None:
    folder = shutil.copytree(GOLDEN, tmp_path / "golden")
    plain: dict[str, Any] = json.loads((folder / "bundle.json").read_text())
    del plain["input"]["view"]
    plain |= {"format": 2, "input": {"views": ["whole", "centre"], "crops": 3, **plain["input"]}}
    (folder / "bundle.json").write_text(json.dumps(plain))
    network = Network(bundles.load(folder))
    noise = np.random.default_rng(5)
    pictures = [noise.integers(0, 256, (side, 2 * side, 3), np.uint8) for side in (20, 32, 90)]
    single = Network(bundles.load(GOLDEN))
    expected = [single.score(list(network.views(rgb))).mean() for rgb in pictures]
    assert network.score(pictures) == pytest.approx(expected, abs=1e-5)
    assert network.score([]).shape == (0,)


@pytest.mark.parametrize(("height", "width"), [(300, 900), (768, 1024), (1200, 640), (63, 64), (32, 32), (5, 2000)])
def test_a_reduced_picture_is_seen_as_the_whole_one(height: int, width: int) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    smaller = reduced(rgb, of(("whole",), 0))
    assert smaller.shape[0] < 128 or height < 128
    assert smaller.shape[1] < 128
    apart = views(smaller, of(("whole",), 0)).astype(int) - views(rgb, of(("whole",), 0))
    assert np.abs(apart).max() <= (0 if height % 64 == width % 64 == 0 else 30)
    assert np.abs(apart).mean() < 2


def test_a_reduced_picture_is_large_enough_for_the_view_of_its_middle() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (768, 1024, 3), np.uint8)
    both = of(("whole", "centre"), 0)
    smaller = reduced(rgb, both)
    assert smaller.shape == (-(-768 // 7), -(-1024 // 9), 3)
    apart = views(smaller, both).astype(int) - views(rgb, both)
    assert np.abs(apart).mean() < 6


@pytest.mark.parametrize(("names", "crops"), [(("whole",), 1), ((), 2)])
def test_crops_need_every_pixel(names: tuple[View, ...], crops: int) -> None:
    rgb = where(768, 1024)
    assert reduced(rgb, of(names, crops)) is rgb


@pytest.mark.parametrize("size", [(300, 900), (1999, 3001), (64, 64), (5, 2000), (2000, 7)])
def test_a_picture_is_resized_as_by_pillow(size: tuple[int, int]) -> None:
    """Averaging strip by strip must change no pixel: the networks were trained on what Pillow gives."""
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    picture = PIL.Image.fromarray(rgb).resize((96, 64), PIL.Image.Resampling.BILINEAR, reducing_gap=2.0)
    np.testing.assert_array_equal(resize(rgb, 64, 96), np.asarray(picture))
