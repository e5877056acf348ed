"""What all pages share: the detector, and the operating point that the visitor chose."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from fauxto.choices import PointName
from fauxto.detector import Detector
from fauxto.options import DetectorOptions
from fauxto.web import language
from fauxto.web.language import _

FETCH_URLS = "fetch-urls"
"""What the launcher hands over behind the options where the page may fetch pictures."""

POINTS: dict[str, str] = {
    PointName.CAUTIOUS.value: "Fewer false alarms",
    PointName.BALANCED.value: "Balanced",
    PointName.SENSITIVE.value: "Catch more",
}
"""The operating points by name, in words for a person."""

POINT_KEY = "operating_point"
"""Where the session keeps the visitor's choice."""


@st.cache_resource(show_spinner=False, hash_funcs={DetectorOptions: repr})
def load_detector(options: DetectorOptions) -> Detector:
    """Load the bundles once for all visitors and pages."""
    return Detector.from_options(options)


def launched_with() -> DetectorOptions:
    """Return the options that the launcher handed over, as JSON in the only argument, if any."""
    return DetectorOptions.from_dict(json.loads(sys.argv[1])) if len(sys.argv) > 1 else DetectorOptions()


def may_fetch() -> bool:
    """Tell whether the page may fetch pictures by their addresses."""
    return FETCH_URLS in sys.argv[2:]


def operating_point() -> str:
    """Return the operating point that the visitor chose on any page, or else the launcher's."""
    chosen: str = st.session_state.get(POINT_KEY, launched_with().operating_point)
    return chosen


def choose_operating_point(page: str, captions: Sequence[str] = ()) -> None:
    """Ask where the line shall be drawn; with captions one below the other, or else in a row."""
    key = language.key(f"{POINT_KEY}-{page}")
    st.session_state[key] = operating_point()  # a widget's own state ends with its page
    st.radio(
        _("Operating point: how careful should it be?"),
        list(POINTS),
        format_func={name: _(title) for name, title in POINTS.items()}.__getitem__,
        captions=captions or None,
        horizontal=not captions,
        key=key,
        on_change=_take_operating_point,
        args=(key,),
    )


def point_in_words(name: str) -> str:
    """Return what an operating point is called within a sentence, in the visitor's language."""
    return _(POINTS[name].lower())


def _take_operating_point(key: str) -> None:
    st.session_state[POINT_KEY] = st.session_state[key]


def detector() -> Detector:
    """Return the visitor's detector.

    Raises:
        BundleError: A bundle can't be used.
        ConfigError: The trust list can't be used.
    """
    with st.spinner(_("Loading the models …")):
        return load_detector(replace(launched_with(), operating_point=operating_point()))
