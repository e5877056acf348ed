"""The registry of formats: each row says all that is known of its format, and the documentation has it too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fauxto import images
from fauxto.errors import ImageError
from fauxto.images import formats
from fauxto.images.container import Format
from fauxto.images.formats import FORMATS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "images.md"


@pytest.mark.parametrize("format", FORMATS.values(), ids=lambda format: format.name)
def test_a_row_is_whole_and_documented(format: Format) -> None:
    assert format.name == format.name.upper()
    assert re.fullmatch(r"image/[a-z]+", format.media_type)
    assert all(re.fullmatch(r"\.[a-z]+", suffix) for suffix in format.suffixes)
    rows = re.findall(r"^\| (\S+) \|", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert format.name in [row.upper() for row in rows]
    assert format.label in formats.labels()


def test_no_two_rows_claim_the_same() -> None:
    suffixes = [suffix for format in FORMATS.values() for suffix in format.suffixes]
    media_types = [format.media_type for format in FORMATS.values()]
    assert len(suffixes) == len(set(suffixes))
    assert len(media_types) == len(set(media_types))
    with pytest.raises(ImageError, match=", ".join(FORMATS)):
        formats.sniff(b"a text")


def test_the_gate_stands_below_all_that_asks_it() -> None:
    folder = Path(images.__file__).parent
    imported = {
        name for path in folder.glob("*.py") for name in re.findall(r"^\s*from (fauxto[.\w]*)", path.read_text(), re.M)
    }
    allowed = {"fauxto.addresses", "fauxto.errors", "fauxto.limits", "fauxto.report"}
    assert {name for name in imported if not name.startswith("fauxto.images")} <= allowed
