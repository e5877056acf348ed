"""A part of a picture, chosen by two sliders over a live preview, and judged in the place of the whole."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fauxto.inside import dimmed
from fauxto.report import Crop
from fauxto.web.judging import Judged
from fauxto.web.language import _


def chosen(key: str) -> Crop | None:
    """Return the part of a file that the visitor asked for; None to leave it to the detector."""
    crops: dict[str, Crop] = st.session_state.setdefault("crops", {})
    return crops.get(key)


def show(judged: Judged, preview: NDArray[np.uint8], key: str) -> None:
    """Show the tool; what is chosen comes into force by running the page anew.

    Args:
        judged: The file, judged by its pixels.
        preview: uint8 [H, W, 3], the whole picture.
        key: Of the file.
    """
    image = judged.report.image
    if image is None:
        return
    before = judged.report.crop or Crop(0, 0, image.width, image.height)
    picture, words = st.columns([3, 2], gap="medium")
    with words:
        st.markdown(_("Judge a part alone, such as the photograph in a screenshot or one of several pictures."))
        across, down = (before.x, before.x + before.width), (before.y, before.y + before.height)
        left, right = st.slider(_("From left to right"), 0, image.width, across, format="%d px", key=f"{key}-across")
        top, bottom = st.slider(_("From top to bottom"), 0, image.height, down, format="%d px", key=f"{key}-down")
        crop = Crop(left, top, right - left, bottom - top)
        st.caption(
            _("{crop.width:,} × {crop.height:,} of {whole.width:,} × {whole.height:,} px", crop=crop, whole=image)
        )
        is_new = crop.width > 0 and crop.height > 0 and crop != before
        with st.container(horizontal=True):
            if st.button(
                _("Judge this part"), type="primary", icon=":material/crop:", disabled=not is_new, key=f"{key}-crop"
            ):
                st.session_state["crops"][key] = crop
                st.rerun()
            if chosen(key) and st.button(_("Undo"), icon=":material/undo:", key=f"{key}-undo"):
                del st.session_state["crops"][key]
                for slider in ("across", "down"):
                    del st.session_state[f"{key}-{slider}"]
                st.rerun()
    with picture:
        st.image(
            dimmed(preview, crop, image.width), width="stretch", alt=_("The picture, dimmed around the chosen part")
        )
