"""AVIF (AV1 Image File Format): boxes with pictures coded as AV1."""

from __future__ import annotations

from PIL.AvifImagePlugin import AvifImageFile

from fauxto.images import isobmff
from fauxto.images.container import Format
from fauxto.images.isobmff_items import metadata

_BRANDS = {b"avif", b"avis"}

FORMAT = Format(
    name="AVIF",
    label="AVIF",
    media_type="image/avif",
    suffixes=(".avif", ".avifs"),
    is_lossless=False,
    matches=lambda data: bool(isobmff.brands(data) & _BRANDS),
    read=isobmff.read,
    open=AvifImageFile,
    metadata=metadata,
    credential=isobmff.credential,
)
