"""What all pages share: the detector, and the operating point that the visitor chose."""

from __future__ import annotations

import sys

import streamlit as st

from fauxto.detector import Detector

POINTS = {"cautious": "Fewer false alarms", "balanced": "Balanced", "sensitive": "Catch more"}
"""The operating points by name, in words for a person."""

POINT_KEY = "operating_point"
"""Where Streamlit keeps the visitor's choice."""


@st.cache_resource(show_spinner="Loading the models …")
def load_detector(model: str | None, point: str) -> Detector:
    """Load the bundles once for all visitors and pages."""
    return Detector(model, operating_point=point)


def operating_point() -> str:
    """Return the operating point that the visitor chose on the page Models."""
    chosen: str = st.session_state.get(POINT_KEY, "balanced")
    return chosen


def detector() -> Detector:
    """Return the visitor's detector; the launcher hands over the bundle's name or folder as the only argument, if any.

    Raises:
        BundleError: A bundle can't be used.
    """
    return load_detector(sys.argv[1] if len(sys.argv) > 1 else None, operating_point())
