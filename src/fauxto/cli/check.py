"""`fauxto check`: judge pictures."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain, groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fauxto.cli.fetched import address_of, fetched
from fauxto.cli.options import FetchUrls, takes_detector_options
from fauxto.errors import ConfigError
from fauxto.options import DetectorOptions
from fauxto.report import Crop, Report, Status, Verdict

if TYPE_CHECKING:
    from fauxto.detector import Detector
    from fauxto.images.source import File

Images = Annotated[
    list[str],
    typer.Argument(
        metavar="IMAGE",
        help="Pictures: paths, folders, quoted patterns such as 'photos/**/*.jpg', - for standard input, or with "
        "--fetch-urls addresses.",
        show_default=False,
    ),
]
Explain = Annotated[
    Path | None,
    typer.Option(
        metavar="MAP.png",
        help="Draw a map of where one picture's score comes from, if it passes its test.",
        show_default=False,
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE.html|FILE.pdf",
        help="Write a report on one picture for a case file.",
        show_default=False,
    ),
]
CaseNumber = Annotated[str, typer.Option(metavar="TEXT", help="With --report: the case's number.", show_default=False)]
Examiner = Annotated[str, typer.Option(metavar="TEXT", help="With --report: who examined it.", show_default=False)]
Notes = Annotated[str, typer.Option(metavar="TEXT", help="With --report: the examiner's notes.", show_default=False)]


def _crop(text: str) -> Crop:
    """Parse "x,y,width,height"."""
    try:
        x, y, width, height = map(int, text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} isn't four whole numbers such as 0,330,1170,1170") from None
    return Crop(x, y, width, height)


ShowMetadata = Annotated[
    bool,
    typer.Option(
        "--metadata",
        help="Show all that the metadata states, too, and a content credential as a timeline; "
        "--personal adds names, places and the position.",
    ),
]

JudgedPart = Annotated[
    Crop | None,
    typer.Option(
        parser=_crop,
        metavar="X,Y,WIDTH,HEIGHT",
        help="Judge this part of one picture, in pixels after orientation.",
        show_default=False,
    ),
]

_LINES_FROM = 4
"""Pictures from which each gets a line instead of a panel."""


@takes_detector_options
def check(
    images: Images,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON report per line.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help=f"Show a panel for each picture, also for {_LINES_FROM} or more.")
    ] = False,
    evidence: Annotated[
        bool, typer.Option("--evidence", help="Show panels, with a card for every source of evidence.")
    ] = False,
    metadata: ShowMetadata = False,
    crop: JudgedPart = None,
    explain: Explain = None,
    explain_anyway: Annotated[
        bool, typer.Option("--explain-anyway", help="With --explain: draw the map even if it failed its test.")
    ] = False,
    report_file: ReportFile = None,
    case_number: CaseNumber = "",
    examiner: Examiner = "",
    notes: Notes = "",
    fetch_urls: FetchUrls = False,
    *,
    options: DetectorOptions,
) -> None:
    """Tell photographs from AI-generated pictures.

    Exit code: 0 every picture was judged, 1 one or more could not be, 2 the command was wrong.
    """
    if (case_number or examiner or notes) and report_file is None:
        raise ConfigError("--case-number, --examiner and --notes go into a report; name its file with --report")
    detector = _detector(options)
    unlisted: list[Report] = []
    sources = _sources(images, unlisted)
    first = list(islice(sources, _LINES_FROM))
    in_lines = len(first) == _LINES_FROM and not (full or evidence or metadata or as_json)
    sources = chain(first, sources)
    show = _show_json if as_json else _lines() if in_lines else _panels(detector, evidence)
    if metadata and (crop or explain or report_file or fetch_urls):
        raise ConfigError(
            "--metadata goes without --crop, --explain, --report and --fetch-urls; run fauxto check for each"
        )
    reports = _judged(detector, sources, fetch_urls=fetch_urls)
    if crop or explain or report_file:
        from fauxto.cli import case_file
        from fauxto.export.record import Case

        case = Case(case_number, examiner, notes)
        output = case_file.Output(explain, report_file, case, anyway=explain_anyway)
        reports = iter([case_file.judge(detector, sources, output, crop=crop, fetch_urls=fetch_urls)])
    elif metadata:
        from fauxto.cli.metadata import WithMetadata

        with_metadata = WithMetadata(detector, None if as_json else show)
        reports, show = with_metadata.judge(sources), with_metadata.show
    _show(chain(reports, unlisted), show, is_told=not as_json, hint="; --full shows why" if in_lines else "")


def _detector(options: DetectorOptions) -> Detector:
    """Make the detector: its largest model is opened while Python imports all the rest."""
    from fauxto.bundles import DEFAULTS
    from fauxto.bundles.model import open_ahead

    ahead = open_ahead(DEFAULTS[-1]) if options.model is None else None

    from fauxto.detector import Detector

    detector = Detector.from_options(options)
    del ahead  # the detector holds the model from here on
    return detector


def _judged(detector: Detector, sources: Iterable[File], *, fetch_urls: bool) -> Iterator[Report]:
    for address, group in groupby(sources, lambda source: address_of(source) if fetch_urls else None):
        if address is None:
            yield from detector.analyze_many(group)
            continue
        for _ in group:
            data = fetched(address, detector.limits)
            yield data if isinstance(data, Report) else detector.analyze(data, name=address)


def _show(reports: Iterable[Report], show: Callable[[Report], None], *, is_told: bool, hint: str) -> None:
    """Show every report, and where it `is_told` how many there are of each verdict."""
    counts = dict.fromkeys((*Verdict, None), 0)
    for report in reports:
        show(replace(report, path="-") if report.path is None else report)
        counts[report.verdict] += 1
    total = sum(counts.values())
    if total > 1 and is_told:
        words = ", ".join(f"{count:,} {verdict or 'not judged'}" for verdict, count in counts.items() if count)
        typer.echo(f"{total:,} pictures: {words}{hint}")
    if counts[None]:
        raise typer.Exit(1)


def _show_json(report: Report) -> None:
    typer.echo(json.dumps(report.to_dict(), allow_nan=False))


def _lines() -> Callable[[Report], None]:
    from rich.console import Console

    from fauxto.cli.report_line import report_line

    console = Console(markup=False, emoji=False)
    return lambda report: console.print(report_line(report), soft_wrap=True)


def _panels(detector: Detector, show_evidence: bool) -> Callable[[Report], None]:
    from rich.console import Console

    from fauxto.cli.report_panel import report_panel

    console, point = Console(markup=False, emoji=False), detector.operating_point

    def show(report: Report) -> None:
        console.print(report_panel(report, detector.bundle_of(report), point, console, show_evidence=show_evidence))

    return show


def _sources(images: list[str], unlisted: list[Report]) -> Iterator[File]:
    """Open standard input for "-", expand the patterns that the shell left alone, and list folders.

    Folders that can't be listed or hold no file become reports in `unlisted`.
    """
    for image in images:
        if image == "-":
            yield sys.stdin.buffer if sys.stdin else b""  # None in a program without a console
            continue
        is_file = glob.glob(glob.escape(image))  # noqa: PTH207 (a file may be called "[1].jpg")
        matches = [] if is_file else sorted(glob.glob(image, recursive=True))  # noqa: PTH207 (Path refuses "/a/*")
        files = (_files_in(path, unlisted) if Path(path).is_dir() else [path] for path in matches or [image])
        yield from dict.fromkeys(chain.from_iterable(files))  # "album/**" has folders and what is in them


def _files_in(folder: str, unlisted: list[Report]) -> Iterator[str]:
    """Yield what a scan would judge of a folder, in the order of the paths."""
    from fauxto.limits import Limits
    from fauxto.scan.items import is_kept_by_system
    from fauxto.scan.sources import Sources

    shards = Sources([folder]).shards()
    items = [item for shard in shards for item in shard.items(Limits(), lambda key: False)]
    if not items:
        unlisted.append(Report.unjudged(folder, Status.NOT_FOUND, "the folder holds no file"))
    for item in sorted(items, key=lambda item: item.path):
        if isinstance(item.source, Report):
            unlisted.append(item.source)
        elif not is_kept_by_system(item):
            yield item.path
