"""The options that several commands share, so that they are called and explained alike everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class PointName(StrEnum):
    """The operating points of every bundle."""

    CAUTIOUS = "cautious"
    BALANCED = "balanced"
    SENSITIVE = "sensitive"


Model = Annotated[
    str | None, typer.Option(metavar="NAME|FOLDER", help="Model bundle.", show_default="the built-in ones")
]

OperatingPoint = Annotated[
    PointName, typer.Option(help="Thresholds: cautious accuses fewest photographs, sensitive misses least.")
]

Personal = Annotated[
    bool, typer.Option("--personal", help="Keep names, places and serial numbers that the files carry.")
]

TrustList = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="PEM certificates that content credentials must go back to.",
        show_default="the built-in list",
    ),
]

Workers = Annotated[
    int | None, typer.Option(min=1, help="Pictures that are judged at a time.", show_default="one per core")
]
