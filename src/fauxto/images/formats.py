"""The allow-list: which formats fauxto reads, how it knows them by their content, and which decoder each one gets."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from pathlib import PurePath
from typing import NamedTuple

from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Image as PillowImage
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from fauxto.errors import ImageError
from fauxto.images import bmp, gif, isobmff, jpeg, png, tiff, webp
from fauxto.images.container import Container
from fauxto.limits import Limits
from fauxto.report import Reason, Status


class Format(NamedTuple):
    """How one format is read.

    Attributes:
        suffixes: Endings of file names that promise this format, in lower case.
        read: Walks the outside of a file.
        open: Pillow's plug-in, called by its class: no other parser of Pillow's ever sees the bytes.
        is_whole: Whether a decoded picture is filled to its end, where Pillow would not complain.
    """

    suffixes: tuple[str, ...]
    read: Callable[[bytes, Limits], Container]
    open: Callable[[BytesIO], ImageFile]
    is_whole: Callable[[PillowImage, bytes], bool] = lambda picture, pixels: True


def _open_heif(file: BytesIO) -> ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(
            Status.UNSUPPORTED_FORMAT,
            "the file is an HEIF picture, which needs the extra 'formats': pip install 'fauxto[formats]'",
        ) from error
    picture: ImageFile = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return picture


FORMATS = {
    "JPEG": Format((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), jpeg.read, JpegImageFile, jpeg.is_whole),
    "PNG": Format((".png", ".apng"), png.read, PngImageFile, png.is_whole),
    "WEBP": Format((".webp",), webp.read, WebPImageFile),
    "BMP": Format((".bmp", ".dib"), bmp.read, BmpImageFile),
    "GIF": Format((".gif",), gif.read, GifImageFile),
    "TIFF": Format((".tif", ".tiff"), tiff.read, TiffImageFile),
    "AVIF": Format((".avif", ".avifs"), isobmff.read, AvifImageFile),
    "HEIF": Format((".heic", ".heif", ".hif"), isobmff.read, _open_heif),
}
_PROMISED = {suffix: kind for kind, format in FORMATS.items() for suffix in format.suffixes}

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
)


def sniff(data: bytes) -> str:
    """Return the key in `FORMATS` of the file that `data` is.

    Raises:
        ImageError: `unreadable` for no bytes at all, `unsupported_format` for anything that isn't on the list.
    """
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(b"BM") and len(data) >= 18 and struct.unpack_from("<I", data, 14)[0] in bmp.HEADER_SIZES:
        return "BMP"
    if kind_of_boxes := isobmff.brand(data):
        return kind_of_boxes
    if not data:
        raise ImageError(Status.UNREADABLE, "the file is empty; get it again")
    raise ImageError(
        Status.UNSUPPORTED_FORMAT,
        f"the file isn't a picture that fauxto reads ({', '.join(FORMATS)}); save it as PNG or JPEG",
    )


def name_mismatch(name: str | None, kind: str) -> tuple[Reason, ...]:
    """Return a note if the ending of a file's name promises another format than `kind`."""
    suffix = PurePath(name or "").suffix.lower()
    if _PROMISED.get(suffix, kind) == kind:
        return ()
    return (Reason("name_mismatch", f"the name ends in {suffix}, but the file is a {kind}."),)
