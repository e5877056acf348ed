"""One worker: a process that opens untrusted pictures one by one, and may be killed at any time.

It is started as `python -m fauxto.service.worker`, reads frames from standard input and writes one frame for each to
standard output. Once its model is loaded it can't write to any file and its memory is bounded.
"""

from __future__ import annotations

import io
import json
import math
import os
import signal
import sys
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import PIL.Image

from fauxto import images
from fauxto.detector import Detector
from fauxto.errors import FauxtoError, ImageError
from fauxto.images.formats import name_mismatch
from fauxto.limits import CLOCK_FACTOR, processor_time
from fauxto.options import DetectorOptions
from fauxto.report import Reason, Report, Status
from fauxto.service import frames

_WARM_UP_SIDES = (32, 256)
_MAP_SIDE = 2_000
"""Longest side of a map's picture; it has some dozens of cells."""

_MARGIN_SECONDS = 5


def main() -> None:
    """Answer frames until standard input ends."""
    source, answers = _take_over_streams()
    started = frames.read(source)
    if started is None:
        return
    settings, _ = started
    try:
        judge = Judge(settings)
    except FauxtoError as error:
        frames.write(answers, {"failed": str(error)})
        return
    bounded = bound(settings["worker_bytes"])
    frames.write(answers, {"models": judge.models(), "bounded": bounded})
    while (frame := frames.read(source)) is not None:
        if frame[0] == frames.PING:
            frames.write(answers, frames.PONG)
            continue
        seconds = frame[0]["seconds"]
        _end_after(CLOCK_FACTOR * seconds + _MARGIN_SECONDS)
        with processor_time(seconds):
            answer = judge.answer(*frame)
        frames.write(answers, *answer)
        _end_after(0)


class Judge:
    """Answers one request for one picture at a time."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Load the models, and judge two built-in pictures to check that the networks run.

        Raises:
            FauxtoError: A model can't be used.
        """
        self._detector = Detector.from_options(DetectorOptions.from_dict(settings["detector"]), threads=1)
        for side in _WARM_UP_SIDES:
            self._detector.analyze(_as_png(PIL.Image.radial_gradient("L").resize((side, side)).convert("RGB")))

    def models(self) -> list[dict[str, Any]]:
        """Return what `GET /v1/models` shows."""
        return [
            {
                "name": bundle.name,
                "version": bundle.version,
                "summary": bundle.summary,
                "sha256": bundle.model_sha256,
                "min_short_side": bundle.domain.min_short_side,
                "max_short_side": bundle.domain.max_short_side,
            }
            for bundle in self._detector.bundles
        ]

    def answer(self, header: dict[str, Any], data: bytes) -> frames.Frame:
        """Do what `header["do"]` says ("analyze" or "explain") with the bytes of a picture."""
        try:
            detector = _Chosen(self._detector, header.get("model"), header.get("operating_point"))
            if header["do"] == "explain":
                return _explain(detector, data)
            return _as_frame(_analyze(detector, data, header["name"], header["media_type"]))
        except ImageError as error:
            return {"refused": error.status, "detail": str(error)}, b""
        except MemoryError:
            sentence = "the picture needs more memory than a worker may have; save it smaller"
            return _as_frame(Report.unjudged(header["name"], Status.TOO_LARGE, sentence))
        except FauxtoError as error:
            return {"failed": type(error).__name__}, b""


class _Chosen(Detector):
    """Another detector's models, or one of them, at its operating point or another: its networks, so no more memory."""

    def __init__(self, detector: Detector, model: str | None, operating_point: str | None) -> None:
        self.options = replace(detector.options, operating_point=operating_point or detector.operating_point)
        self._sources = detector._sources
        self._models = tuple(loaded for loaded in detector._models if model in (None, loaded.bundle.name))
        self.bundles = tuple(loaded.bundle for loaded in self._models)


def _analyze(detector: Detector, data: bytes, name: str | None, media_type: str | None) -> Report:
    report = detector.analyze(data, name=name)
    if report.image is None or media_type is None:
        return report
    if not name_mismatch(f"x.{media_type.removeprefix('image/')}", report.image.format):
        return report
    sentence = f"it was sent as {media_type}, but the file is a {report.image.format}."
    note = Reason("media_type_mismatch", sentence)
    return replace(report, reasons=(*report.reasons, note))


def _explain(detector: Detector, data: bytes) -> frames.Frame:
    from fauxto.explain import explain
    from fauxto.inside import part_to_judge

    rgb, _ = part_to_judge(images.decode(data, detector.limits))
    explanation = explain(detector.reduced(rgb), detector, rgb.shape)
    shown = PIL.Image.fromarray(rgb)
    shown.thumbnail((_MAP_SIDE, _MAP_SIDE))
    overlay = _as_png(PIL.Image.fromarray(explanation.overlay(np.asarray(shown))))
    return {"faithful": explanation.faithful, "sentence": explanation.sentence}, overlay


def bound(max_bytes: int) -> bool:
    """Restrict this process permanently: at most `max_bytes` of memory, no file writes, no core dumps.

    Returns:
        Whether the system supports this; Windows doesn't.
    """
    try:
        import resource
    except ImportError:
        return False
    if sys.platform == "linux":  # what is mapped already (mostly code) doesn't count against the picture
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
            mapped = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (mapped + max_bytes, mapped + max_bytes))
    resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, max_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return True


def _end_after(seconds: float) -> None:
    """End this process after so long, or never for 0: the service does so earlier, unless it was killed itself."""
    if hasattr(signal, "alarm"):
        signal.alarm(math.ceil(seconds))


def _take_over_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the two pipes, and redirect what libraries print away from them."""
    answers = os.fdopen(os.dup(1), "wb")
    source = os.fdopen(os.dup(0), "rb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return source, answers


def _as_frame(report: Report) -> frames.Frame:
    header = {"status": report.status, "verdict": report.verdict}
    return header, json.dumps(report.to_dict(), allow_nan=False).encode()


def _as_png(picture: PIL.Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    main()
