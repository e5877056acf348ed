"""Pictures to zoom into and to move, down to single pixels: viewer.js and viewer.css, run by the page itself."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL.Image
import streamlit as st
from numpy.typing import NDArray
from streamlit.components.v2.types import ComponentRenderer

from fauxto.export.thumbnails import Thumbnail
from fauxto.web.language import _

MOST_LOSSLESS = 4_000_000
"""Pixels up to which a picture goes to the browser as a PNG; larger ones go as a JPEG of quality 95."""

_BAR = """
<div class="bar">
  <button type="button" data-action="fit"></button>
  <button type="button" data-action="exact">1:1</button>
  <button type="button" data-action="in">+</button>
  <button type="button" data-action="out">−</button>
  <span role="status"></span>
</div>
<div class="panes"></div>
"""


class Pane(NamedTuple):
    """One picture: grey [H, W] or RGB [H, W, 3], uint8; its name; and its width and height in pixels of the original.

    A map of blocks has fewer pixels than the original, and is laid out like it.
    """

    pixels: NDArray[np.uint8]
    words: str
    width: int
    height: int


@cache
def _component() -> ComponentRenderer:
    css, js = (Path(__file__).with_name(f"viewer.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return st.components.v2.component("fauxto.viewer", html=_BAR, css=css, js=js)


def show(panes: Sequence[Pane], key: str) -> None:
    """Show pictures side by side, which are zoomed and moved together."""
    data = [
        {"address": encoded(pane.pixels).address, "words": pane.words, "width": pane.width, "height": pane.height}
        for pane in panes
    ]
    words = {
        "fit": _("Fit"),
        "in": _("Zoom in"),
        "out": _("Zoom out"),
        "keys": _("Arrow keys move it, plus and minus zoom, 0 fits, 1 is 1:1"),
    }
    _component()(data={"panes": data, "words": words}, key=key)


def encoded(pixels: NDArray[np.uint8]) -> Thumbnail:
    """Encode pixels, grey [H, W] or RGB [H, W, 3], for the browser: without loss up to `MOST_LOSSLESS`."""
    file = io.BytesIO()
    height, width = pixels.shape[:2]
    picture = PIL.Image.fromarray(pixels)
    if height * width <= MOST_LOSSLESS:
        picture.save(file, "PNG", compress_level=1)
        return Thumbnail(width, height, "image/png", file.getvalue())
    picture.save(file, "JPEG", quality=95, subsampling=0)
    return Thumbnail(width, height, "image/jpeg", file.getvalue())
