"""Named choices for the library, the command line and bundles; cheap to import."""

from __future__ import annotations

from enum import StrEnum


class PointName(StrEnum):
    """The operating points of every bundle."""

    CAUTIOUS = "cautious"
    BALANCED = "balanced"
    SENSITIVE = "sensitive"


class CalibrationMethod(StrEnum):
    """How scores become probabilities."""

    PLATT = "platt"
    TEMPERATURE = "temperature"


class Engine(StrEnum):
    """Where a scan runs."""

    LOCAL = "local"
    RAY = "ray"


class SortAction(StrEnum):
    """What to do with a judged file."""

    COPY = "copy"
    MOVE = "move"
    LINK = "link"


class LogLevel(StrEnum):
    """What the service logs: every request, or problems only."""

    INFO = "info"
    WARNING = "warning"
