"""What `fauxto check` does with one picture alone: a part of it, the explanation map, a report for a case file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import PIL.Image
import typer
from numpy.typing import NDArray

from fauxto import images
from fauxto.detector import Detector
from fauxto.errors import ConfigError, ImageError
from fauxto.evidence.listing import FileMetadata, read_metadata
from fauxto.explain import Explanation, explain
from fauxto.export import case_file, html, pdf
from fauxto.export.thumbnails import fit
from fauxto.images.source import File
from fauxto.inside import judged_part
from fauxto.report import Crop, Report, Status
from fauxto.wording import is_in_domain, printable

_MAP_SIDE = 1600  # in pixels


def judge(
    detector: Detector,
    sources: Iterable[File],
    map_file: Path | None,
    report_file: Path | None,
    *,
    anyway: bool = False,
    crop: Crop | None = None,
) -> Report:
    """Judge one picture, or a part of it, and write the requested files.

    Args:
        detector: What judges.
        sources: The pictures given.
        map_file: Where the explanation's map goes, or None.
        report_file: Where the report goes, or None.
        anyway: Whether to write a map that didn't pass its test, too.
        crop: The part to judge; None for what the detector chooses.

    Raises:
        ConfigError: There isn't exactly one picture, the crop reaches beyond it, or an output file has the wrong ending
            or is the picture itself.
        OSError: A file can't be written.
    """
    source, *others = islice(sources, 2)
    if others:
        raise ConfigError("--crop, --explain and --report take one picture; run fauxto check once for each")
    _check(source, map_file, (".png",), "--explain")
    _check(source, report_file, (".html", ".pdf"), "--report")
    # Read once, so that we show exactly what was judged.
    data = _read(source, detector)
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "-"
    report = detector.analyze(data, name=name, crop=crop)
    rgb = images.decode(data, detector.limits).rgb if report.status is Status.OK and isinstance(data, bytes) else None
    explanation = None if map_file is None else _draw_map(report, rgb, detector, map_file, anyway)
    if report_file is not None:
        metadata = None
        if rgb is not None:
            options = detector.options
            metadata = read_metadata(
                data, personal=options.personal, limits=options.limits, trust_list=options.trust_list
            )
        _write_report(report, rgb, detector, explanation, metadata, report_file)
    return report


def _check(source: File, file: Path | None, endings: tuple[str, ...], option: str) -> None:
    if file is None:
        return
    if file.suffix.lower() not in endings:
        raise ConfigError(f"{option} writes {' or '.join(endings)}: {str(file)!r} needs that ending")
    if isinstance(source, (str, os.PathLike)) and file.exists() and Path(source).exists() and file.samefile(source):
        raise ConfigError(f"{option} would overwrite the picture {str(file)!r} itself; give another file")


def _read(source: File, detector: Detector) -> File:
    if not isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview)):
        return source.read(detector.limits.max_bytes + 1)
    try:
        return images.read_bytes(source, detector.limits)
    except ImageError:
        return source  # the detector says why


def _draw_map(
    report: Report, rgb: NDArray[np.uint8] | None, detector: Detector, map_file: Path, anyway: bool
) -> Explanation | None:
    if rgb is None or not is_in_domain(report):
        typer.echo("No map: the model wasn't made for pictures like this one.", err=True)
        return None
    part = judged_part(rgb, report)
    explanation = explain(detector.reduced(part), detector, part.shape)
    if explanation.faithful or anyway:
        PIL.Image.fromarray(explanation.overlay(fit(part, _MAP_SIDE))).save(map_file, "PNG")
        typer.echo(f"{printable(str(map_file))}: orange points to a generated picture, blue to a photograph.", err=True)
    else:
        typer.echo("No map was written; --explain-anyway writes it all the same.", err=True)
    typer.echo(explanation.sentence, err=True)
    return explanation


def _write_report(
    report: Report,
    rgb: NDArray[np.uint8] | None,
    detector: Detector,
    explanation: Explanation | None,
    metadata: FileMetadata | None,
    file: Path,
) -> None:
    case = case_file.assemble(
        report,
        rgb,
        bundle=detector.bundle_of(report),
        operating_point=detector.operating_point,
        time=datetime.now(UTC),
        explanation=explanation,
        metadata=metadata,
    )
    file.write_bytes(pdf.report(case) if file.suffix.lower() == ".pdf" else html.report(case).encode())
