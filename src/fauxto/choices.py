"""What one can choose by name, for the library, the command line and bundles alike; it imports next to nothing."""

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
    """Where the pictures of a scan are judged."""

    LOCAL = "local"
    RAY = "ray"


class SortAction(StrEnum):
    """What becomes of a judged file."""

    COPY = "copy"
    MOVE = "move"
    LINK = "link"


class LogLevel(StrEnum):
    """What the service logs: a line a request, or trouble alone."""

    INFO = "info"
    WARNING = "warning"
