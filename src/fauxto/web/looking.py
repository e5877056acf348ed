"""The tab to look closer at a picture: at single pixels and at traces, alone or beside a second picture.

Each view says in a sentence what it can and can't show. Time and memory are bounded: of a large picture, a part is
looked at, at its own resolution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import altair as alt
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fauxto import images, palette
from fauxto.detector import Detector
from fauxto.errors import ImageError
from fauxto.evidence import trace_pictures
from fauxto.evidence.trace_pictures import GHOST_QUALITIES
from fauxto.export.thumbnails import fit
from fauxto.images import Image
from fauxto.report import Reason
from fauxto.web import language, viewer
from fauxto.web.drawing import Figure
from fauxto.web.judging import PREVIEW_SIDE, Judged
from fauxto.web.language import _, ngettext
from fauxto.web.viewer import Pane
from fauxto.wording import as_sentence, printable

LARGEST_SIDE = 4096
"""Pixels per side of the part that is looked at."""

_KEPT = 2  # pictures whose JPEG ghosts a session keeps


class Looked(NamedTuple):
    """A picture that is looked at: what it is called, and its pixels, or those of a part."""

    name: str
    image: Image


def show(judged: Judged, detector: Detector, key: str) -> None:
    """Show the choice of views and the chosen one."""
    titles = {view: _(view) for view in _VIEWS}
    chosen = st.segmented_control(
        _("What to look at"),
        list(titles),
        format_func=titles.__getitem__,
        default="Picture",
        key=language.key(f"{key}-view"),
        required=True,
    )
    view = chosen or "Picture"
    st.markdown(_(words(view)))
    pictures = [Looked(printable(judged.report.path or _("The picture")), images.decode(judged.data, detector.limits))]
    above = st.container()
    second = st.file_uploader(
        _("A second picture to set beside it; it is only shown, not judged"),
        key=f"{key}-second",
        max_upload_size=detector.limits.max_bytes // 2**20,
    )
    with above:
        if second is not None:
            try:
                pictures.append(Looked(printable(second.name), images.decode(second.getvalue(), detector.limits)))
            except ImageError as error:
                st.text(
                    _(
                        "The second picture can't be shown: {error}",
                        error=_(as_sentence(Reason(error.status, str(error)))),
                    )
                )
        if any(looked.image.scale > 1 for looked in pictures):
            st.caption(_("So large a JPEG is decoded smaller: traces of single pixels are lost."))
        _VIEWS[view][1](pictures, key)


def words(view: str) -> str:
    """Return the sentence on what a view can and can't show."""
    return _VIEWS[view][0]


def _place(pictures: Sequence[Looked], key: str) -> tuple[int, int]:
    """Return in percent where the part begins that the visitor chose of a picture too large to be shown whole."""
    if all(max(looked.image.rgb.shape[:2]) <= LARGEST_SIDE for looked in pictures):
        return 0, 0
    st.caption(
        _("Too large to show every pixel at once: this is a part of {most:,} pixels a side at most.", most=LARGEST_SIDE)
    )
    with st.container(horizontal=True):
        across = st.slider(_("Part, from left to right"), 0, 100, 50, 5, format="%d %%", key=f"{key}-across")
        down = st.slider(_("Part, from top to bottom"), 0, 100, 50, 5, format="%d %%", key=f"{key}-down")
    return across, down


def part(rgb: NDArray[np.uint8], across: float, down: float) -> NDArray[np.uint8]:
    """Return a part of a picture, uint8 [H, W, 3], of `LARGEST_SIDE` at most; 0 to 1 say where it begins.

    It begins on the grid of JPEG's blocks.
    """
    top, left = (
        int(share * max(side - LARGEST_SIDE, 0)) // 16 * 16
        for side, share in zip(rgb.shape[:2], (down, across), strict=True)
    )
    return rgb[top : top + LARGEST_SIDE, left : left + LARGEST_SIDE]


def _show_pictures(pictures: Sequence[Looked], key: str) -> None:
    _show_maps(pictures, lambda image, place: image.rgb, key)
    if any(looked.image.rgb.shape[0] * looked.image.rgb.shape[1] > viewer.MOST_LOSSLESS for looked in pictures):
        st.caption(_("On its way to your browser, so large a picture is saved as a JPEG of quality 95."))


def _show_error_levels(pictures: Sequence[Looked], key: str) -> None:
    _show_maps(pictures, lambda image, place: trace_pictures.error_level_map(image), key)


def _show_noise(pictures: Sequence[Looked], key: str) -> None:
    _show_maps(pictures, lambda image, place: trace_pictures.noise_residual(image), key)


def _show_ghosts(pictures: Sequence[Looked], key: str) -> None:
    quality = st.select_slider(_("JPEG quality"), GHOST_QUALITIES, 75, key=f"{key}-quality")
    number = GHOST_QUALITIES.index(quality)
    try:
        _show_maps(pictures, lambda image, place: _ghosts(image, place)[number], key)
    except ValueError as error:
        st.caption(_("Nothing to show: {error}.", error=_(str(error))))


def _ghosts(image: Image, place: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the ghosts of a part; the session keeps the last ones, so that the slider of qualities needs no new."""
    kept: dict[object, NDArray[np.uint8]] = st.session_state.setdefault("ghosts", {})
    if (image.facts.sha256, place) not in kept:
        while len(kept) >= _KEPT:
            del kept[next(iter(kept))]
        kept[image.facts.sha256, place] = trace_pictures.jpeg_ghosts(image)
    return kept[image.facts.sha256, place]


def _show_maps(
    pictures: Sequence[Looked], draw: Callable[[Image, tuple[int, int]], NDArray[np.uint8]], key: str
) -> None:
    place = across, down = _place(pictures, key)
    panes = []
    for looked in pictures:
        rgb = part(looked.image.rgb, across / 100, down / 100)
        panes.append(Pane(draw(replace(looked.image, rgb=rgb), place), looked.name, rgb.shape[1], rgb.shape[0]))
    viewer.show(panes, f"{key}-viewer")
    st.caption(
        _("Drag to move, double-click or press 1:1 for single pixels, Ctrl and the wheel or two fingers to zoom.")
    )


def _show_spectrum(pictures: Sequence[Looked], key: str) -> None:
    for column, looked in zip(st.columns(len(pictures)), pictures, strict=True):
        with column:
            st.text(looked.name)
            try:
                spectrum = trace_pictures.average_spectrum(looked.image)
            except ValueError:
                least = trace_pictures.SMALLEST_SIDE
                st.caption(_("A spectrum needs {least} pixels a side; this picture has fewer.", least=least))
                continue
            peaks = trace_pictures.spectral_peaks(spectrum)
            drawing = fit(trace_pictures.draw_spectrum(spectrum, peaks), PREVIEW_SIDE)
            alt_text = ngettext(
                "The spectrum as a map, {count} peak boxed", "The spectrum as a map, {count} peaks boxed", len(peaks)
            )
            st.image(drawing, alt=alt_text, width="stretch")
            if peaks:
                words = ngettext(
                    "**{count} peak**, {decibels:g} dB above what is around it.",
                    "**{count} peaks**, the highest {decibels:g} dB above what is around it.",
                    len(peaks),
                    decibels=peaks[0].decibels,
                )
                st.markdown(words)
            else:
                st.markdown(_("**No peaks** stand out."))


def _show_histogram(pictures: Sequence[Looked], key: str) -> None:
    for column, looked in zip(st.columns(len(pictures)), pictures, strict=True):
        with column:
            st.text(looked.name)
            _histogram(trace_pictures.histogram(looked.image)).show()


def _histogram(counts: NDArray[np.int64]) -> Figure:
    rows = [
        {"level": level, "pixels": int(count), "channel": _(channel)}
        for channel, levels in zip(palette.CHANNELS, counts, strict=True)
        for level, count in enumerate(levels)
    ]
    used = np.flatnonzero(counts.sum(axis=0))
    gaps = int(used[-1] - used[0] + 1 - len(used))
    words = ngettext(
        "Levels {low} to {high} occur, with {count} level between them that doesn't.",
        "Levels {low} to {high} occur, with {count} levels between them that don't.",
        gaps,
        low=used[0],
        high=used[-1],
    )
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(strokeWidth=1.5)
        .encode(
            x=alt.X("level:Q", scale=alt.Scale(domain=[0, 255], nice=False), title=words),
            y=alt.Y("pixels:Q", title=_("pixels")),
            color=alt.Color(
                "channel:N",
                scale=alt.Scale(domain=list(map(_, palette.CHANNELS)), range=list(palette.CHANNELS.values())),
                legend=alt.Legend(orient="top", title=None),
            ),
        )
    )
    return Figure(chart, words)


_VIEWS: Mapping[str, tuple[str, Callable[[Sequence[Looked], str], None]]] = {
    "Picture": (
        "Every pixel as it was decoded. It shows what an eye can judge, such as letters, hands and reflections; a "
        "picture without such faults may still be generated.",
        _show_pictures,
    ),
    "Error level": (
        "How much each part changes when it is saved as a JPEG once more, dark for not at all. A part that was pasted "
        "in may stand out from parts like it; edges and texture are always bright, and no verdict rests on this.",
        _show_error_levels,
    ),
    "Noise": (
        "The finest grain, strengthened. A part with another grain may come from elsewhere or have been smoothed; "
        "sharp focus, dark parts and compression change the grain as well.",
        _show_noise,
    ),
    "JPEG ghost": (
        "How well each block fits a JPEG quality, dark for well. A patch that is dark where the rest is bright may "
        "have been saved at that quality before it was pasted in; flat and overexposed parts are dark by themselves, "
        "and scaling or moving a part hides it.",
        _show_ghosts,
    ),
    "Spectrum": (
        "How much detail of each fineness there is: coarse in the middle, fine at the edges. Isolated points or a "
        "grid mean a pattern that repeats, which enlarging in a generator can leave, and so can JPEG blocks, scaling "
        "and the weave of a cloth.",
        _show_spectrum,
    ),
    "Histogram": (
        "How many pixels have each level of red, green and blue. Gaps like a comb show that brightness or contrast "
        "was changed; that says nothing about who did it, or whether the picture was generated.",
        _show_histogram,
    ),
}
