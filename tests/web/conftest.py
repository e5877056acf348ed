"""What the tests of the page share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def golden_bundle() -> Path:
    return Path(__file__).resolve().parents[1] / "golden/bundle"
