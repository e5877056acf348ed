"""One file's bytes -> its report and a preview of its decoded pixels, small enough to keep for a session."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fauxto import images
from fauxto.detector import Detector
from fauxto.export.thumbnails import Thumbnail, fit, thumbnail
from fauxto.report import Crop, Report, Status
from fauxto.scan.items import Item, report_on

PREVIEW_SIDE = 640  # pixels
THUMBNAIL_SIDE = 160  # pixels


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the page keeps of one file.

    Attributes:
        report: What fauxto says of it.
        preview: uint8 RGB [H, W, 3], or None without a picture.
        data: The file's bytes, for views that are made when they are asked for.
        crop: The part that was asked for.
        thumbnail: A smaller picture for a row of many.
    """

    report: Report
    preview: NDArray[np.uint8] | None
    data: bytes = field(repr=False, default=b"")
    crop: Crop | None = None
    thumbnail: Thumbnail | None = None


def judge(detector: Detector, data: bytes, name: str, crop: Crop | None = None) -> Judged:
    """Judge one file's bytes, or a part of the picture; a file that can't be judged is a report too.

    Raises:
        FauxtoError: The network can't be opened or fails; no other picture would fare better.
    """
    report = detector.analyze(data, name=name, crop=crop) if crop else report_on(Item(name, name, data), detector)
    if report.status is not Status.OK:
        return Judged(report, preview=None, crop=crop)
    # Decoded a second time: milliseconds for most pictures, and the detector needn't hand pixels around.
    preview = fit(images.decode(data, detector.limits).rgb, PREVIEW_SIDE)
    return Judged(report, preview, data, crop, thumbnail(preview, THUMBNAIL_SIDE))
