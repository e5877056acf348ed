"""What `fauxto check` does with one picture alone: a part of it, the explanation map, a report for a case file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import numpy as np
import PIL.Image
import typer
from numpy.typing import NDArray

from fauxto import images
from fauxto.cli.fetched import address_of, fetched
from fauxto.detector import Detector
from fauxto.errors import ConfigError, ImageError
from fauxto.evidence.listing import FileMetadata, read_metadata
from fauxto.explain import Explanation, explain
from fauxto.export import case_file, html, pdf
from fauxto.export.record import Case
from fauxto.export.thumbnails import fit
from fauxto.images.source import File
from fauxto.inside import judged_part
from fauxto.report import Crop, Report, Status
from fauxto.wording import is_in_domain, printable

_MAP_SIDE = 1600  # in pixels


@dataclass(frozen=True, slots=True)
class Output:
    """The files to write, None for those that nobody asked for.

    Attributes:
        map_file: The explanation map; `anyway` also one that didn't pass its test.
        report_file: The report, with what the examiner wrote into `case`.
    """

    map_file: Path | None
    report_file: Path | None
    case: Case
    anyway: bool = False


def judge(
    detector: Detector, sources: Iterable[File], output: Output, *, crop: Crop | None, fetch_urls: bool
) -> Report:
    """Judge one picture, or the part `crop` of it, and write the requested files.

    Raises:
        ConfigError: There isn't exactly one picture, the crop reaches beyond it, or an output file has the wrong ending
            or is the picture itself.
        MissingExtraError: A library for the PDF or for fetching isn't installed.
        OSError: A file can't be written.
    """
    source, *others = islice(sources, 2)
    if others:
        raise ConfigError("--crop, --explain and --report take one picture; run fauxto check once for each")
    _check(source, output.map_file, (".png",), "--explain")
    _check(source, output.report_file, (".html", ".pdf"), "--report")
    # Read once, so that we show exactly what was judged.
    address = address_of(source) if fetch_urls else None
    data = _read(source, detector) if address is None else fetched(address, detector.limits)
    name = os.fspath(source) if isinstance(source, (str, os.PathLike)) else "-"
    report = data if isinstance(data, Report) else detector.analyze(data, name=name, crop=crop)
    content = data if isinstance(data, bytes) else None
    rgb = images.decode(content, detector.limits).rgb if report.status is Status.OK and content is not None else None
    explanation = None if output.map_file is None else _draw_map(report, rgb, detector, output.map_file, output.anyway)
    if output.report_file is not None:
        file = case_file.assemble(
            report,
            rgb,
            bundle=detector.bundle_of(report),
            operating_point=detector.operating_point,
            time=datetime.now(UTC),
            explanation=explanation,
            data=content,
            metadata=None if content is None or rgb is None else _metadata(content, detector),
            case=output.case,
        )
        is_pdf = output.report_file.suffix.lower() == ".pdf"
        output.report_file.write_bytes(pdf.report(file) if is_pdf else html.report(file).encode())
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


def _metadata(data: bytes, detector: Detector) -> FileMetadata:
    options = detector.options
    return read_metadata(data, personal=options.personal, limits=options.limits, trust_list=options.trust_list)
