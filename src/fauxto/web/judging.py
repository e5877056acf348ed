"""One uploaded file -> its report and a preview of its decoded pixels, small enough to keep for a session."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto import images
from fauxto.detector import Detector
from fauxto.report import Report, Status

_PREVIEW_SIDE = 640


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the page shows of one file; `preview` is uint8 RGB [H, W, 3], or None without a picture."""

    report: Report
    preview: NDArray[np.uint8] | None


def judge(detector: Detector, data: bytes, name: str) -> Judged:
    """Judge one file's bytes; a file that can't be judged is a report too, never an exception."""
    report = detector.analyze(data, name=name)
    if report.status is not Status.OK:
        return Judged(report, preview=None)
    # Decoded a second time: milliseconds for most pictures, and the detector needn't hand pixels around.
    return Judged(report, preview(images.decode(data, detector.limits).rgb))


def preview(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the picture at a size fit for the page: reduced, or, if it is tiny, enlarged in crisp squares.

    Args:
        rgb: uint8 [H, W, 3].
    """
    longest = max(rgb.shape[:2])
    if longest <= _PREVIEW_SIDE // 2:
        times = _PREVIEW_SIDE // longest
        return rgb.repeat(times, axis=0).repeat(times, axis=1)
    picture = PIL.Image.fromarray(rgb)
    picture.thumbnail((_PREVIEW_SIDE, _PREVIEW_SIDE))
    return np.asarray(picture)


def as_download(reports: Sequence[Report]) -> tuple[str, str, str]:
    """Return the name, media type and text of a download: JSON for one report, JSON Lines for several."""
    if len(reports) == 1:
        return "fauxto-report.json", "application/json", json.dumps(reports[0].to_dict(), indent=2) + "\n"
    lines = "".join(json.dumps(report.to_dict()) + "\n" for report in reports)
    return "fauxto-reports.jsonl", "application/x-ndjson", lines
