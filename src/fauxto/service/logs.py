"""Logs for machines: one JSON object a line on standard error, without names, addresses, pixels or what errors say.

What an error says may repeat a name or a path, so of an error only its type and the places that it passed are logged.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

logger = logging.getLogger("fauxto.service")


class JsonLines(logging.Formatter):
    """Formats a record, its `fields` and the way of its exception as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            line["at"] = [
                f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(record.exc_info[2])
            ]
        return json.dumps(line)


def configuration(level: str) -> dict[str, Any]:
    """Return a configuration for `logging.config.dictConfig`: every logger writes JSON lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {
            "fauxto.service": {"level": level.upper()},
            "uvicorn.error": {"level": "WARNING"},
            "python_multipart": {"level": "CRITICAL"},  # it says which bytes of a form were wrong
            "uvicorn.access": {"level": "CRITICAL", "propagate": False},
        },
    }
