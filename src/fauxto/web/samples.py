"""Pictures to try the page with: free photographs, and a drawing of ours that lies about itself in two ways.

samples/coffee.jpg is the photograph "coffee" by Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0; cat.jpg is
"chelsea" by Stéfan van der Walt, CC0. signed.jpg is the drawing below with a content credential of a camera, signed by
a key of ours that nobody vouches for and that we didn't keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
from PIL.PngImagePlugin import PngInfo

_FOLDER = Path(__file__).with_name("samples")


class Sample(NamedTuple):
    """A picture to try: what the page calls it, the name and bytes of its file, and where it comes from."""

    title: str
    name: str
    data: bytes
    origin: str


@cache
def samples() -> Mapping[str, Sample]:
    """Return the samples by title."""
    shipped = (
        Sample("A photograph", "coffee.jpg", _read("coffee.jpg"), "Photograph by Rachel Michetti, CC0."),
        Sample("A harder photograph", "cat.jpg", _read("cat.jpg"), "Photograph by Stéfan van der Walt, CC0."),
        Sample(
            "A drawing with a generator's note",
            "drawing.png",
            _drawing(),
            "Drawn by a formula, with a note in the file as image generators write it. The note is made up.",
        ),
        Sample(
            "A drawing signed as a photograph",
            "signed.jpg",
            _read("signed.jpg"),
            "The same drawing, with a credential that says a camera took it. Nobody vouches for the signature.",
        ),
    )
    return {sample.title: sample for sample in shipped}


def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()


def _drawing() -> bytes:
    """Draw hills under a low sun, 384 x 256 pixels."""
    y, x = np.mgrid[0:256, 0:384].astype(np.float64)
    sky = np.stack([250 - 0.35 * (256 - y), 196 - 0.25 * (256 - y), 150 + 0.25 * (256 - y)], axis=2)
    picture = np.where((np.hypot(x - 270, y - 120) < 34)[..., None], [255, 236, 178], sky)
    for height, swing, colour in ((150, 18, (150, 110, 140)), (185, 14, (96, 78, 118)), (220, 10, (48, 44, 78))):
        edge = height + swing * np.sin(x / (2.6 * swing) + height) + 5 * np.sin(x / 11 + height)
        picture = np.where((y > edge)[..., None], colour, picture)
    note = PngInfo()
    note.add_text("parameters", "hills at sunset\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 384x256")
    file = BytesIO()
    PIL.Image.fromarray(picture.astype(np.uint8)).save(file, "PNG", pnginfo=note)
    return file.getvalue()
