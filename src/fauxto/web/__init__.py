"""The web page: a Streamlit app, thin over the library; `fauxto app` starts it."""

from __future__ import annotations
