"""The service of tests/service and the signers of tests/unit/evidence, for the suites that go every way."""

from __future__ import annotations

import runpy
from pathlib import Path

TESTS = Path(__file__).parents[1]

_service = runpy.run_path(str(TESTS / "service/conftest.py"))
start = _service["start"]
service = _service["service"]

_evidence = runpy.run_path(str(TESTS / "unit/evidence/conftest.py"))
stranger = _evidence["stranger"]
sign = _evidence["sign"]
