"""The page in the visitor's language: texts from gettext catalogues, and the numbers in them.

What fauxto says of a picture is composed in English, which reports, JSON and the command line stay in; the page
translates the whole sentence (`fauxto.web.sentences`).
"""

from __future__ import annotations

import gettext
import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fauxto.web.sentences import OF_STRANGERS, sentence_and_parts

LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español"}
"""By their codes, each in its own words."""

KEY = "language"
"""Where the session keeps the visitor's choice."""

_WIDGET = "language-widget"

LOCALE = Path(__file__).with_name("locale")
_NUMBER = re.compile(r"[\d.,]+( %| px| ms)?")
_SWAPPED = str.maketrans(".,", ",.")


def current() -> str:
    """Return the code of the language that the visitor chose, or else the browser's, or else English.

    What is made after a run of the page, such as a report to download, is in English.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    code = st.session_state.get(KEY) or (st.context.locale or "").partition("-")[0].lower()
    return code if code in LANGUAGES else "en"


def choose() -> None:
    """Show the languages to choose from."""
    st.session_state[_WIDGET] = current()
    st.segmented_control(
        _("Language"),
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key=_WIDGET,
        on_change=_take_choice,
        required=True,
        label_visibility="collapsed",
    )


def key(widget: str) -> str:
    """Return the key of a widget that shows words in the visitor's language.

    A browser sends back the words that were chosen; by one key for all languages, another one's would meet them.
    """
    return f"{widget}-{current()}"


def _take_choice() -> None:
    st.session_state[KEY] = st.session_state[_WIDGET]


def _(text: str, /, **values: object) -> str:
    """Return a text in the visitor's language.

    Args:
        text: In English: a text of the page, or a sentence that fauxto composed.
        values: What stands in the place of its names in braces, as in `str.format`.
    """
    return translated(text, current(), **values)


def ngettext(one: str, many: str, count: int, **values: object) -> str:
    """Return a text in the visitor's language, in the form that fits `count`, which is among the values."""
    code = current()
    return _Numbers(code).format(_catalogue(code).ngettext(one, many, count), count=count, **values)


def translated(text: str, code: str, /, **values: object) -> str:
    """Do what `_` does, in a language by its code."""
    own = _catalogue(code).gettext(text) if text else ""  # the text "" is a catalogue's own head
    if values:
        return _Numbers(code).format(own, **values)
    if own != text or code == "en":
        return own
    if _NUMBER.fullmatch(text):
        return _number(text, code)
    if (known := sentence_and_parts(text)) is None:
        return text
    sentence, parts = known
    own_parts = {name: part if name in OF_STRANGERS else translated(part, code) for name, part in parts.items()}
    return _catalogue(code).gettext(sentence).format(**own_parts)


class _Numbers(Formatter):
    """Formats like `str.format`, with the marks in numbers that a language has."""

    def __init__(self, code: str) -> None:
        self._code = code

    def format_field(self, value: Any, format_spec: str) -> Any:
        field = super().format_field(value, format_spec)
        return _number(field, self._code) if isinstance(value, int | float) else field


def _number(text: str, code: str) -> str:
    if code == "en":
        return text
    if code == "es":  # which divides no number of four digits
        text = re.sub(r"(?<![\d,])(\d),(\d{3})(?![\d,])", r"\1\2", text)
    return text.translate(_SWAPPED)


@cache
def _catalogue(code: str) -> gettext.NullTranslations:
    return gettext.NullTranslations() if code == "en" else gettext.translation("page", LOCALE, [code])
