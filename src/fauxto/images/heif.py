"""HEIF (ISO/IEC 23008-12): boxes with pictures coded as HEVC, as phones write them; needs the extra `formats`."""

from __future__ import annotations

from io import BytesIO

from PIL.ImageFile import ImageFile

from fauxto.errors import ImageError
from fauxto.images import isobmff
from fauxto.images.container import Format
from fauxto.images.isobmff_items import metadata
from fauxto.report import Status

_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}


def open_heif(file: BytesIO) -> ImageFile:
    """Open a file with pillow-heif, which only those have who asked for it.

    Raises:
        ImageError: `unsupported_format`: it isn't installed.
    """
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise ImageError(
            Status.UNSUPPORTED_FORMAT,
            "the file is HEIF, which needs the extra 'formats': pip install '.[formats]' in fauxto's checkout",
        ) from error
    picture: ImageFile = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return picture


FORMAT = Format(
    name="HEIF",
    label="HEIC",
    media_type="image/heif",
    suffixes=(".heic", ".heif", ".hif"),
    is_lossless=False,
    matches=lambda data: bool(isobmff.brands(data) & _BRANDS),
    read=isobmff.read,
    open=open_heif,
    several="several_pictures",
    metadata=metadata,
    credential=isobmff.credential,
)
