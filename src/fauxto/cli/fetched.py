"""Pictures that the command line is given by their address, fetched where `--fetch-urls` asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fauxto.addresses import is_address
from fauxto.errors import ImageError
from fauxto.limits import Limits
from fauxto.report import Report

if TYPE_CHECKING:
    from fauxto.images.source import File


def address_of(source: File) -> str | None:
    """Return a source that is an address and no file's path, else None."""
    return source if isinstance(source, str) and is_address(source) and not Path(source).exists() else None


def fetched(address: str, limits: Limits) -> bytes | Report:
    """Return the bytes of the picture at an address, or the report that says why there are none.

    Raises:
        MissingExtraError: httpx isn't installed.
    """
    from fauxto import fetching

    try:
        return fetching.read(address, limits)
    except ImageError as error:
        return Report.unjudged(address, error.status, str(error))
