"""The allow-list: one row a format; what fauxto knows of it stands in its own file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from fauxto.errors import ImageError
from fauxto.images import avif, bmp, gif, heif, jpeg, jxl, png, tiff, webp
from fauxto.images.container import Format
from fauxto.report import Reason, Status

FORMATS: Mapping[str, Format] = {
    format.name: format
    for format in (
        jpeg.FORMAT,
        png.FORMAT,
        webp.FORMAT,
        bmp.FORMAT,
        gif.FORMAT,
        tiff.FORMAT,
        avif.FORMAT,
        heif.FORMAT,  # behind AVIF, whose files may bear a general brand as well
        jxl.FORMAT,
    )
}
"""The formats that fauxto reads, by name, in the order in which they are tried."""

_PROMISED = {suffix: format for format in FORMATS.values() for suffix in format.suffixes}


def sniff(data: bytes) -> Format:
    """Return the format of the file that `data` is.

    Raises:
        ImageError: `unreadable` for no bytes at all, `unsupported_format` for anything that isn't on the list.
    """
    for format in FORMATS.values():
        if format.matches(data):
            return format
    if not data:
        raise ImageError(Status.UNREADABLE, "the file is empty; get it again")
    raise ImageError(
        Status.UNSUPPORTED_FORMAT,
        f"the file isn't a picture that fauxto reads ({', '.join(FORMATS)}); save it as PNG or JPEG",
    )


def name_mismatch(name: str | None, format: str) -> tuple[Reason, ...]:
    """Return a note if the ending of a file's name promises another format than the one named `format`."""
    suffix = PurePath(name or "").suffix.lower()
    promised = _PROMISED.get(suffix)
    if promised is None or promised.name == format:
        return ()
    return (Reason("name_mismatch", f"the name ends in {suffix}, but the file is a {format}."),)


def labels() -> str:
    """Return the formats in a sentence for people: "JPEG, PNG, ... or HEIC"."""
    *most, last = (format.label for format in FORMATS.values())
    return f"{', '.join(most)} or {last}"
