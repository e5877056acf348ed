"""The pictures of traces: error levels, the average spectrum and its peaks."""

from __future__ import annotations

import numpy as np
import pytest

from fauxto.evidence.trace_pictures import (
    GHOST_QUALITIES,
    Peak,
    average_spectrum,
    draw_ghosts,
    draw_spectrum,
    error_level_map,
    histogram,
    jpeg_ghosts,
    noise_residual,
    spectral_peaks,
)
from fauxto.images import decode


def as_image(encode, rgb):
    return decode(encode(np.clip(rgb, 0, 255).astype(np.uint8), "PNG"))


def grating(height: int, width: int, x: float, y: float):
    """Noise with a wave of `x` and `y` cycles per pixel."""
    rows, columns = np.mgrid[:height, :width]
    wave = 6 * np.cos(2 * np.pi * (x * columns + y * rows))
    noise = np.random.default_rng(4).normal(128, 8, (height, width))
    return np.repeat((noise + wave)[..., None], 3, axis=2)


def test_what_was_compressed_otherwise_stands_out_in_the_error_levels(photo, encode) -> None:
    pasted = decode(encode(photo, "JPEG", quality=60)).rgb.copy()
    pasted[100:200, 300:400] = photo[100:200, 300:400]
    levels = error_level_map(as_image(encode, pasted))
    assert levels.dtype == np.uint8
    assert levels.shape == photo.shape[:2]
    before = error_level_map(as_image(encode, decode(encode(photo, "JPEG", quality=60)).rgb))
    assert levels[100:200, 300:400].mean() > 1.5 * before[100:200, 300:400].mean()
    assert np.array_equal(levels[:96], before[:96])


@pytest.mark.parametrize("size", [(1, 1), (3, 2049), (2100, 5), (2048, 16)])
def test_error_levels_of_every_shape(encode, size) -> None:
    rgb = np.random.default_rng(5).integers(0, 256, (*size, 3))
    assert error_level_map(as_image(encode, rgb)).shape == size


def test_error_levels_know_no_seam_between_tiles(photo, encode) -> None:
    wide = np.tile(photo[:64], (1, 9, 1))
    levels = error_level_map(as_image(encode, wide))
    assert np.array_equal(levels[:, 512:1024], levels[:, 2048:2560])


@pytest.mark.parametrize(("x", "y"), [(0.25, 0.0), (0.0, 0.375), (0.2, 0.1), (-0.3, 0.4), (-0.5, 0.25)])
def test_a_wave_is_a_peak_at_its_frequency(encode, x, y) -> None:
    spectrum = average_spectrum(as_image(encode, grating(600, 700, x, y)))
    assert spectrum.dtype == np.float32
    assert spectrum.shape == (256, 256)
    highest = spectral_peaks(spectrum)[0]
    # A frequency of half a cycle per pixel is the same to the left and to the right.
    assert abs(abs(highest.x) - abs(x)) < 0.003
    assert abs(highest.y - y) < 0.003
    assert x == -0.5 or highest.x * x >= 0
    assert highest.decibels > 6
    assert highest.is_of_eights == ((8 * x).is_integer() and (8 * y).is_integer())


def test_a_grid_of_eights_is_told_apart(encode) -> None:
    rgb = np.random.default_rng(6).normal(128, 8, (512, 512, 3))
    rgb[7::8] += 8
    rgb[:, 7::8] += 8
    peaks = spectral_peaks(average_spectrum(as_image(encode, rgb)))
    assert {(abs(peak.x), peak.y) for peak in peaks} >= {(0.0, 0.125), (0.125, 0.0), (0.0, 0.375), (0.5, 0.0)}
    assert all(peak.is_of_eights for peak in peaks)


def test_noise_and_flat_pictures_have_no_peaks(encode) -> None:
    noise = np.random.default_rng(7).normal(128, 20, (512, 512, 3))
    for rgb in (noise, np.full((300, 300, 3), 90)):
        assert spectral_peaks(average_spectrum(as_image(encode, rgb))) == []


def test_small_pictures_have_a_small_spectrum_or_none(photo, encode) -> None:
    assert average_spectrum(as_image(encode, photo[:101, :67])).shape == (66, 66)
    assert isinstance(spectral_peaks(average_spectrum(as_image(encode, photo[:33, :32]))), list)
    with pytest.raises(ValueError, match="31 x 90 pixels; a spectrum needs 32"):
        average_spectrum(as_image(encode, photo[:90, :31]))


@pytest.mark.parametrize("place", [(0.25, 0.125), (-0.5, 0.0), (0.0, 0.5), (-0.25, 0.375), (0.484375, 0.484375)])
def test_a_peak_is_boxed_at_its_place_and_at_its_mirror_image(place) -> None:
    side = 64
    spectrum = np.zeros((side, side), np.float32)
    cells = [
        (round(side * (sign * place[1] + 0.5)) % side, round(side * (sign * place[0] + 0.5)) % side) for sign in (1, -1)
    ]
    for cell in cells:
        spectrum[cell] = 40
    plain = draw_spectrum(spectrum, [])
    assert plain.shape == (3 * side, 3 * side, 3)
    assert plain.dtype == np.uint8
    assert (np.ptp(plain, axis=2) == 0).all()
    drawn = draw_spectrum(spectrum, [Peak(place[0], place[1], decibels=40.0, is_of_eights=True)])
    rows, columns = np.nonzero(np.ptp(drawn, axis=2))
    assert len(rows) > 0
    for row, column in zip(rows // 3, columns // 3, strict=True):  # every coloured cell lies 4 cells from a peak
        assert 4 in {max(abs(row - at), abs(column - beside)) for at, beside in cells}
    assert all(
        (drawn[3 * row + 1, 3 * column + 1] == plain[3 * row + 1, 3 * column + 1]).all() for row, column in cells
    )


def test_a_patch_that_was_saved_at_a_lower_quality_is_a_ghost_at_that_quality(photo, encode) -> None:
    pasted = photo.copy()
    pasted[96:224, 128:256] = decode(encode(photo, "JPEG", quality=60, subsampling=0)).rgb[96:224, 128:256]
    ghosts = jpeg_ghosts(decode(encode(pasted, "JPEG", quality=95, subsampling=0)))
    assert ghosts.dtype == np.uint8
    assert ghosts.shape == (len(GHOST_QUALITIES), photo.shape[0] // 16, photo.shape[1] // 16)
    at_60 = ghosts[GHOST_QUALITIES.index(60)].astype(float)
    inside = at_60[6:14, 8:16].mean()
    outside = np.delete(at_60, np.s_[6:14], axis=0).mean()
    assert inside < 0.5 * outside


@pytest.mark.parametrize("size", [(16, 16), (17, 5000), (4100, 31)])
def test_ghosts_of_every_shape(encode, size) -> None:
    rgb = np.random.default_rng(5).integers(0, 256, (*size, 3))
    ghosts = jpeg_ghosts(as_image(encode, rgb))
    assert ghosts.shape[1:] == (size[0] // 16, size[1] // 16)
    assert ghosts.min(axis=0).max() == 0
    assert draw_ghosts(ghosts).shape == (3 * (ghosts.shape[1] * 4 + 16), 4 * (ghosts.shape[2] * 4 + 16))


def test_a_picture_smaller_than_a_block_has_no_ghosts(encode) -> None:
    with pytest.raises(ValueError, match="fewer than 16 pixels per side"):
        jpeg_ghosts(as_image(encode, np.zeros((15, 100, 3))))


def test_another_grain_stands_out_in_the_noise_and_an_even_picture_has_none(photo, encode) -> None:
    noisy = photo.astype(float)
    noisy[100:200, 300:400] += np.random.default_rng(3).normal(0, 12, (100, 100, 1))
    residual = noise_residual(as_image(encode, noisy)).astype(float)
    plain = noise_residual(as_image(encode, photo)).astype(float)
    assert residual.shape == photo.shape[:2]
    assert residual[100:200, 300:400].std() > 1.5 * plain[100:200, 300:400].std()
    assert (noise_residual(as_image(encode, np.full((20, 30, 3), 77))) == 128).all()


def test_a_histogram_counts_every_pixel(photo, encode) -> None:
    counts = histogram(as_image(encode, photo))
    assert counts.shape == (3, 256)
    assert (counts.sum(axis=1) == photo.shape[0] * photo.shape[1]).all()
    assert counts[2, 40] == np.count_nonzero(photo[..., 2] == 40)
