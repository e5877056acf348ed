"""The picture inside a screenshot is found, whatever the phone and the program; a photograph is never cropped."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import astuple
from functools import cache
from time import process_time
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from fauxto.domain import objection
from fauxto.errors import ConfigError
from fauxto.images import decode
from fauxto.inside import cut, dimmed, find, part_to_judge
from fauxto.report import Crop

Pixels = NDArray[np.uint8]
Ink = str | tuple[int, int, int]
RNG = np.random.default_rng(5)


class Screen(NamedTuple):
    """A screenshot, and where in it the picture is."""

    rgb: Pixels
    crop: Crop


@cache
def photograph(height: int, width: int) -> Pixels:
    """Soft shapes of all sizes with noise, as a camera sees them."""
    rng = np.random.default_rng(height * width)
    picture = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((3, 60), (8, 40), (30, 25), (120, 12)):
        soft = rng.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(soft[..., channel]).resize((width, height), Image.Resampling.BICUBIC)
            picture[..., channel] += np.asarray(layer)
    return (picture + 120 + rng.integers(-5, 6, picture.shape, np.int8)).clip(0, 255).astype(np.uint8)


def blank(width: int, height: int, ground: Ink) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    screen = Image.new("RGB", (width, height), ground)
    return screen, ImageDraw.Draw(screen)


def write(draw: ImageDraw.ImageDraw, x: int, y: int, ink: Ink, size: int, *lines: str) -> None:
    for number, line in enumerate(lines):
        draw.text((x, y + number * size * 1.4), line, fill=ink, font=ImageFont.load_default(size))


def status_bar(draw: ImageDraw.ImageDraw, width: int, ink: Ink) -> None:
    write(draw, width // 11, 50, ink, 50, "9:41")
    for bar in range(4):
        draw.rectangle((width * 0.74 + bar * 14, 80 - 10 * bar, width * 0.74 + bar * 14 + 9, 90), fill=ink)
    draw.rounded_rectangle((width * 0.86, 55, width * 0.93, 90), 8, outline=ink, width=3)


def feed(width: int = 1170, height: int = 2532, ground: Ink = "white", ink: Ink = "black", ratio: float = 1) -> Screen:
    """A post with an avatar, symbols and a caption, and the next one below it."""
    screen, draw = blank(width, height, ground)
    status_bar(draw, width, ink)
    screen.paste(Image.fromarray(photograph(96, 96)), (36, 200))
    write(draw, 160, 220, ink, 42, "some.account")
    crop = Crop(0, 330, width, round(width * ratio))
    screen.paste(Image.fromarray(photograph(crop.height, width)), (0, 330))
    below = 330 + crop.height
    for number in range(3):
        draw.ellipse((40 + number * 110, below + 40, 110 + number * 110, below + 110), outline=ink, width=6)
    write(draw, 40, below + 150, ink, 40, "1,204 likes", "some.account What a day that was at the lake", "and on")
    if below + 800 < height:
        screen.paste(Image.fromarray(photograph(300, width)), (0, below + 500))
    draw.rectangle((0, height - 200, width, height), fill=ground)
    for number in range(5):
        draw.rounded_rectangle((80 + number * 200, height - 170, 150 + number * 200, height - 100), 10, ink)
    return Screen(np.asarray(screen), crop)


def chat(
    wall: tuple[int, int, int] = (239, 231, 222), bubble: Ink = "white", ink: Ink = "black", bar: Ink = (0, 128, 105)
) -> Screen:
    """A picture in a bubble with round corners, with text in bubbles around it."""
    screen, draw = blank(1170, 2532, wall)
    for _ in range(300):  # the wallpaper's faint pattern
        x, y = int(RNG.integers(0, 1170)), int(RNG.integers(0, 2532))
        draw.ellipse((x, y, x + 40, y + 40), outline=(wall[0] - 7, wall[1] - 7, wall[2] - 7), width=4)
    draw.rectangle((0, 0, 1170, 280), fill=bar)
    status_bar(draw, 1170, "white")
    write(draw, 200, 180, "white", 54, "Family")
    draw.rounded_rectangle((30, 320, 700, 470), 36, bubble)
    write(draw, 60, 345, ink, 42, "Look what we saw on the way", "home today")
    crop = Crop(42, 652, 780, 980)
    draw.rounded_rectangle((30, 640, 834, 1770), 36, bubble)
    corners = Image.new("L", (780, 980))
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 779, 979), 26, fill=255)
    screen.paste(Image.fromarray(photograph(980, 780)), (42, 652), corners)
    write(draw, 62, 1660, ink, 42, "Isn't it fine?")
    draw.rounded_rectangle((400, 1820, 1140, 1990), 36, bubble)
    write(draw, 430, 1845, ink, 42, "Very fine, thank you, and", "greetings to all of you")
    draw.rectangle((0, 2302, 1170, 2532), fill=(245, 245, 245))
    return Screen(np.asarray(screen), crop)


def gallery(ground: Ink = "black", ink: Ink = "white") -> Screen:
    """A viewer with a row of small pictures below."""
    screen, draw = blank(1080, 2400, ground)
    status_bar(draw, 1080, ink)
    write(draw, 430, 150, ink, 44, "Yesterday")
    screen.paste(Image.fromarray(photograph(1440, 1080)), (0, 480))
    for number in range(12):
        screen.paste(Image.fromarray(photograph(100, 70 + number)), (30 + number * 86, 2070))
    for number in range(4):
        draw.ellipse((100 + number * 260, 2230, 160 + number * 260, 2290), outline=ink, width=6)
    return Screen(np.asarray(screen), Crop(0, 480, 1080, 1440))


def video(width: int, height: int, sideways: bool = False) -> Screen:
    """A film between black bars."""
    crop = Crop(0, (height - width * 9 // 16) // 2, width, width * 9 // 16)
    if sideways:
        crop = Crop((width - height * 16 // 9) // 2, 0, height * 16 // 9, height)
    rgb = np.zeros((height, width, 3), np.uint8)
    cut(rgb, crop, width)[:] = photograph(crop.height, crop.width)
    return Screen(rgb, crop)


def player(ground: Ink = "white", ink: Ink = "black") -> Screen:
    """A film below a black status bar, with words and suggestions below it."""
    screen, draw = blank(1080, 2400, ground)
    draw.rectangle((0, 0, 1080, 130), fill="black")
    status_bar(draw, 1080, "white")
    screen.paste(Image.fromarray(photograph(607, 1080)), (0, 130))
    write(draw, 36, 750, ink, 50, "A film of which you have never heard", "12k views")
    for number in range(3):
        screen.paste(Image.fromarray(photograph(214, 380 + number)), (36, 1040 + number * 260))
        write(draw, 440, 1050 + number * 260, ink, 36, "Another film of which you", "have never heard", "3k views")
    return Screen(np.asarray(screen), Crop(0, 130, 1080, 607))


def article(ground: Ink = "white", ink: Ink = "black") -> Screen:
    """A picture between margins and paragraphs."""
    screen, draw = blank(1080, 2340, ground)
    status_bar(draw, 1080, ink)
    write(draw, 54, 280, ink, 80, "What happened at the", "lake last Sunday and", "what followed")
    screen.paste(Image.fromarray(photograph(648, 972)), (54, 680))
    write(draw, 54, 1360, "grey", 34, "The lake on Sunday. Photograph: somebody")
    write(draw, 54, 1450, ink, 46, *["It was a day as any other, said those who were there"] * 9)
    return Screen(np.asarray(screen), Crop(54, 680, 972, 648))


DARK: dict[str, Ink] = {"ground": "black", "ink": "white"}
SCREENS: dict[str, Callable[[], Screen]] = {
    "feed": feed,
    "feed, dark": lambda: feed(**DARK, ratio=1.25),  # type: ignore[arg-type]
    "feed on a short phone": lambda: feed(1080, 1920),
    "feed on a small phone": lambda: feed(750, 1334, ratio=0.8),
    "chat": chat,
    "chat, dark": lambda: chat((14, 24, 30), (32, 44, 51), "white", (31, 44, 52)),
    "gallery": gallery,
    "gallery, light": lambda: gallery("white", "black"),
    "film": lambda: video(1170, 2532),
    "film on a short phone": lambda: video(1080, 1920),
    "film, sideways": lambda: video(2532, 1170, sideways=True),
    "player": player,
    "player, dark": lambda: player((15, 15, 15), "white"),
    "article": article,
    "article, dark": lambda: article((32, 33, 36), "white"),
}


def as_file(rgb: Pixels, format: str, quality: int = 80) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, format, quality=quality)
    return file.getvalue()


def overlap(crop: Crop, other: Crop) -> float:
    """Intersection over union."""
    width = min(crop.x + crop.width, other.x + other.width) - max(crop.x, other.x)
    height = min(crop.y + crop.height, other.y + other.height) - max(crop.y, other.y)
    common = max(0, width) * max(0, height)
    return common / (crop.width * crop.height + other.width * other.height - common)


@pytest.mark.parametrize("name", SCREENS)
def test_the_picture_in_a_screenshot_is_judged_alone(name: str) -> None:
    screen = SCREENS[name]()
    _, part = part_to_judge(decode(as_file(screen.rgb, "BMP")))
    assert part.crop is not None
    assert overlap(part.crop, screen.crop) >= 0.95
    assert (part.objection, part.reasons[0].word) == (None, "picture_inside")
    # As a messenger sends it on.
    picture = Image.fromarray(screen.rgb)
    factor = 1600 / max(picture.size)
    smaller = picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.BICUBIC)
    _, part = part_to_judge(decode(as_file(np.asarray(smaller), "JPEG")))
    assert part.crop is not None
    expected = Crop(*(round(value * factor) for value in astuple(screen.crop)))
    assert overlap(part.crop, expected) >= 0.95


def sea(height: int, width: int) -> Pixels:
    """Below a sky of one colour, with a horizon as straight as a ruler."""
    rgb = np.full((height, width, 3), (150, 190, 225), np.uint8)
    rgb[height // 2 :] = photograph(height - height // 2, width)
    return rgb


def night(height: int, width: int) -> Pixels:
    """Lamps with a glow, on black without noise."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    light = np.zeros((height, width), np.float32)
    for top, left in np.random.default_rng(2).random((25, 2)):
        distance = np.hypot(y - height * (0.2 + 0.6 * top), x - width * (0.1 + 0.8 * left))
        light += 250 * np.exp(-distance / (0.03 * height))
    return (light[..., np.newaxis] * (1, 0.8, 0.5)).clip(0, 255).astype(np.uint8)


def studio(height: int, width: int, ground: int = 255) -> Pixels:
    """A thing with soft shades on ground of one tone."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    thing = np.sqrt(np.clip(0.25 - x**2 - (y * 0.8) ** 2, 0, None))
    shades = photograph(height, width) * (0.4 + thing[..., np.newaxis])
    return np.where(thing[..., np.newaxis] > 0, shades.clip(0, 250), ground).astype(np.uint8)


def printed(height: int, width: int, border: float, paper: int = 255) -> Pixels:
    """A print with a border of so many of its sides."""
    rgb = np.full((height, width, 3), paper, np.uint8)
    down, across = round(border * height), round(border * width)
    inner = rgb[down : height - down, across : width - across]
    inner[:] = photograph(*inner.shape[:2])
    return rgb


TRAPS: dict[str, Pixels] = {
    "sea": sea(800, 1200),
    "sea, upright": sea(1600, 1000),
    "wide sea": sea(600, 1500),
    "night": night(900, 1200),
    "night, upright": night(1800, 850),
    "studio": studio(1000, 1000),
    "dark studio": studio(1000, 800, 3),
    "studio, upright": studio(1900, 900),
    "thin border": printed(900, 1200, 0.02),
    "border": printed(900, 1200, 0.08),
    "wide border": printed(1000, 1000, 0.2),
    "black border": printed(900, 1200, 0.1, 0),
    "photograph": photograph(900, 1200),
}


@pytest.mark.parametrize("format", ["BMP", "JPEG"])
@pytest.mark.parametrize("name", TRAPS)
def test_no_photograph_is_cropped(name: str, format: str) -> None:
    image = decode(as_file(TRAPS[name], format))
    pixels, part = part_to_judge(image)
    assert part.crop is None
    assert pixels is image.rgb
    assert part.reasons == ()
    assert (part.objection is None) == ("wide sea" not in name and max(pixels.shape) <= 2 * min(pixels.shape[:2]))


def test_no_photograph_of_a_camera_is_cropped(photographs: dict[str, Pixels]) -> None:
    assert [name for name, rgb in photographs.items() if find(rgb)] == []


def text(width: int = 1170, height: int = 2532) -> Pixels:
    screen, draw = blank(width, height, "white")
    write(draw, 60, 300, "black", 46, *["It was a day as any other, said those who"] * 30)
    return np.asarray(screen)


def test_a_strip_without_a_picture_stays_refused(photographs: dict[str, Pixels]) -> None:
    for rgb in (text(), np.concatenate([photographs["china"]] * 2, axis=1)):
        _, part = part_to_judge(decode(as_file(rgb, "BMP")))
        assert (part.crop, part.objection) == (None, objection(rgb))
        assert (part.objection or "").startswith("is a strip")


def test_what_is_inside_has_to_be_like_a_photograph() -> None:
    screen = article()
    chart = np.full((screen.crop.height, screen.crop.width, 3), 235, np.uint8)
    for bar in range(9):
        chart[100 + 40 * bar :, 60 + 100 * bar : 130 + 100 * bar] = (30, 90 + 10 * bar, 180)
    rgb = screen.rgb.copy()
    cut(rgb, screen.crop, rgb.shape[1])[:] = chart
    _, part = part_to_judge(decode(as_file(rgb, "BMP")))
    assert part.crop is None
    assert part.objection is not None


def test_a_small_picture_has_none_inside() -> None:
    screen = article()
    thumbnail = Image.fromarray(screen.rgb).resize((180, 390))
    assert find(np.asarray(thumbnail)) is None
    assert find(np.zeros((1, 1, 3), np.uint8)) is None


def test_a_hostile_picture_is_soon_done_with() -> None:
    lines = np.zeros((3064, 383, 3), np.uint8)  # as many samples as there can be, each line a run of its own
    lines[:, :, 0] = (np.arange(3064) * 37 % 256)[:, np.newaxis]
    lines[::3, ::2] = 255
    started = process_time()
    find(lines)
    assert find(np.zeros((192, 192 * 8 + 1, 3), np.uint8)) is None
    assert process_time() - started < 5


def test_a_large_jpeg_that_is_decoded_smaller_is_cropped_in_its_own_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    from fauxto.images import jpeg

    screen = article()
    monkeypatch.setattr(jpeg, "FULL_SIZE", screen.rgb.size // 3 - 1)
    image = decode(as_file(screen.rgb, "JPEG", 95))
    assert image.scale == 2
    pixels, part = part_to_judge(image)
    assert part.crop is not None
    assert overlap(part.crop, screen.crop) >= 0.95
    assert part.short_side == part.crop.height == pytest.approx(2 * pixels.shape[0], abs=2)
    pixels, part = part_to_judge(image, (54, 680, 972, 648))
    assert pixels.shape == (324, 486, 3)
    assert part.short_side == 648


def test_a_crop_is_taken_as_asked_and_the_picture_inside_is_not_looked_for() -> None:
    image = decode(as_file(feed().rgb, "BMP"))
    pixels, part = part_to_judge(image, (10, 400, 300, 200))
    assert np.array_equal(pixels, image.rgb[400:600, 10:310])
    assert (part.crop, part.short_side, part.reasons[0].word) == (Crop(10, 400, 300, 200), 200, "crop")
    assert "300 x 200 px at x 10, y 400" in part.reasons[0].sentence
    _, part = part_to_judge(image, Crop(0, 0, 1170, 2532))
    assert (part.objection or "").startswith("is a strip")


@pytest.mark.parametrize(
    ("crop", "says"),
    [
        ((0, 0, 101, 80), "reaches beyond the picture of 100 x 80 px"),
        ((0, 41, 100, 40), "reaches beyond the picture"),
        ((100, 0, 1, 1), "reaches beyond the picture"),
        ((-1, 0, 10, 10), "x and y are 0 or more"),
        ((0, 0, 0, 10), "width and height 1 or more"),
        ((0, 0, 10, -10), "width and height 1 or more"),
    ],
)
def test_a_crop_has_to_be_inside_the_picture(crop: tuple[int, int, int, int], says: str) -> None:
    image = decode(as_file(photograph(80, 100), "BMP"))
    with pytest.raises(ConfigError, match=says):
        part_to_judge(image, crop)


@pytest.mark.parametrize("crop", [(1, 2, 3), (0.5, 0, 10, 10), "0,0,9,9"])
def test_a_crop_is_four_whole_numbers(crop: object) -> None:
    image = decode(as_file(photograph(80, 100), "BMP"))
    with pytest.raises(TypeError):
        part_to_judge(image, crop)  # type: ignore[arg-type]


def test_what_is_around_a_crop_is_dimmed_at_any_size() -> None:
    rgb = np.full((80, 100, 3), 200, np.uint8)
    shown = dimmed(rgb, Crop(100, 200, 300, 400), 1000)
    assert (shown[20:60, 10:40] == 200).all()
    assert (shown == 200).all(axis=2).sum() == 40 * 30
    assert (rgb == 200).all()
    assert dimmed(rgb, Crop(999, 799, 1, 1), 1000).max() == 200  # one pixel is left
