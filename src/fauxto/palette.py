"""Every colour that fauxto shows, by what it stands for: pages, reports, charts, maps and the terminal draw from here.

Orange stands for a generated picture, blue for a photograph. No colour is the only sign of anything: a word or a symbol
stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fauxto.report import Verdict


class Tones(NamedTuple):
    """One colour as "#rrggbb" on light ground and on dark."""

    light: str
    dark: str


NEUTRAL = "#888888"
"""What must be seen on light and on dark ground alike: grids, tracks, hatching."""

# The paper of HTML reports; a PDF takes the light ones.
PAPER = Tones("#fdfcfa", "#16181c")
INK = Tones("#1d1f24", "#e7e5e0")
SOFT = Tones("#5c616b", "#9ea3ad")
RULE = Tones("#dedbd4", "#34373e")
BAND = Tones("#f4f2ed", "#1e2126")
LINK = Tones("#1f6f8b", "#7cc4dc")

# The screen of the page.
GROUND = Tones("#ffffff", "#14161b")
PANEL = Tones("#f1f3f6", "#1e2128")
STRONG_LETTERS = "#0b0c10"
"""On light ground, where captions are shown at 60 % and need the contrast."""
ACTION = Tones("#1d4ed8", "#93b4ff")
RING = "#3b82f6"
"""Around what has the keyboard's focus, on light and on dark ground alike."""

TEXT: Mapping[Verdict | None, Tones] = {
    Verdict.AI: Tones("#b4500b", "#ff9d4d"),
    Verdict.REAL: Tones("#1d5fc4", "#8db8ff"),
    Verdict.INCONCLUSIVE: Tones("#6b6f78", "#a9aeb8"),
    None: Tones("#b3261e", "#ff8a80"),
}
"""Verdicts in letters, readable on their ground."""

FILL: Mapping[Verdict | None, str] = {
    Verdict.AI: "#e8710a",
    Verdict.REAL: "#3b82f6",
    Verdict.INCONCLUSIVE: "#7d8590",
    None: "#d1242f",
}
"""Verdicts as areas and lines, on any ground."""

CHANNELS: Mapping[str, str] = {"red": "#d1483a", "green": "#2f8f4e", "blue": "#3b74d1"}
"""The curves of a picture's histogram, on any ground."""

TERMINAL: Mapping[Verdict | None, str] = {
    Verdict.AI: "color(166)",
    Verdict.REAL: "color(32)",
    Verdict.INCONCLUSIVE: "color(243)",
    None: "color(160)",
}
"""Verdicts by rich's names of colours: of the 256 that terminals show alike, readable on light and dark ground."""

PROGRESS_TERMINAL: Mapping[str, str] = {
    **dict.fromkeys(("bar.complete", "bar.finished", "bar.pulse"), TERMINAL[Verdict.REAL]),
    **dict.fromkeys(("progress.download", "progress.elapsed", "progress.remaining"), "default"),
}
"""Progress bars by rich's names of styles; rich's own yellow and cyan are lost on light ground."""

STREAMLIT: Mapping[Verdict | None, str] = {
    Verdict.AI: "orange",
    Verdict.REAL: "blue",
    Verdict.INCONCLUSIVE: "gray",
    None: "red",
}
"""Verdicts by Streamlit's names of colours."""

# Vermilion and blue that colour-blind people tell apart (Okabe and Ito, 2008), over a picture in grey.
MAP_AI = "#d55e00"
MAP_REAL = "#0072b2"

BOX = "#ffa000"
"""A box around a peak of the spectrum."""

SHORTCUT: Mapping[str, str] = {"no shortcut": FILL[Verdict.REAL], "weak": "#d4a106", "strong": FILL[Verdict.AI]}
"""How far a data set's labels can be told without looking at the pictures."""

SHORTCUT_TERMINAL: Mapping[str, str] = {"no shortcut": "color(28)", "weak": "color(136)", "strong": "color(160)"}
"""The same by rich's names of colours."""

# The laboratory's plots.
ACCENT = "#e4663a"
OF_LABEL: Mapping[str, str] = {"real": "#1f9e89", "ai": ACCENT}
"""The two labels in every plot, also told apart by colour-blind readers."""
SERIES = ("#4477aa", ACCENT, OF_LABEL["real"], "#aa3377", "#ccbb44", "#66ccee")
ON_SHADE = Tones("#111111", "#fefefe")
"""Letters on a shaded cell, whatever the reader's theme."""


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the red, green and blue of "#rrggbb", each 0 to 255."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def variables(**colours: Tones | str) -> str:
    """Return CSS that names colours as variables of a page, for readers of light and of dark pages."""
    tones = {name: Tones(colour, colour) if isinstance(colour, str) else colour for name, colour in colours.items()}
    light = " ".join(f"--{name.replace('_', '-')}: {tone.light};" for name, tone in tones.items())
    dark = " ".join(f"--{name.replace('_', '-')}: {tone.dark};" for name, tone in tones.items())
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
