"""The service of tests/service, for the suites that go every way."""

from __future__ import annotations

import runpy
from pathlib import Path

_service = runpy.run_path(str(Path(__file__).parents[1] / "service/conftest.py"))
start = _service["start"]
service = _service["service"]
