"""`fauxto scan`: judge many pictures into one table."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fauxto.choices import Engine, SortAction
from fauxto.cli.options import Workers, takes_detector_options
from fauxto.cores import cores
from fauxto.errors import ConfigError
from fauxto.options import DetectorOptions
from fauxto.palette import PROGRESS_TERMINAL
from fauxto.wording import passed_over, printable

if TYPE_CHECKING:
    from fauxto.scan import OnProgress, Scan
    from fauxto.scan.sorting import Sorter

STOPPED = 130  # exit code of shells for Ctrl-C
_LOG_SECONDS = 30.0


Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Files, folders, quoted patterns, .zip and .tar archives, .csv and .parquet tables, s3:// and gs:// "
        "addresses.",
        show_default=False,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="Table to write: .jsonl, .csv or .parquet.", show_default=False)]
Html = Annotated[
    Path | None, typer.Option("--html", help="Also write a page with the pictures by verdict.", show_default=False)
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Resume a scan that was stopped or killed, and try again what took too long.")
]
Watch = Annotated[
    bool, typer.Option("--watch", help="Keep judging new files in the folders until Ctrl-C; see fauxto watch.")
]
Interval = Annotated[
    float,
    typer.Option(min=0.1, help="Seconds between checks with --watch, and for which a new file must be unchanged."),
]
Sort = Annotated[
    tuple[SortAction, Path] | None,
    typer.Option(
        metavar="copy|move|link DIR",
        help="Put judged files under real, ai and inconclusive in DIR.",
        show_default=False,
    ),
]
Column = Annotated[
    str | None, typer.Option(help="Column with paths or bytes in input tables.", show_default="path, image or bytes")
]
FollowSymlinks = Annotated[bool, typer.Option("--follow-symlinks", help="Follow symbolic links inside folders.")]
EngineName = Annotated[Engine, typer.Option(help="Run on this machine, or with Ray on one or more.")]
Address = Annotated[str | None, typer.Option(help="Ray cluster to use.", show_default="a new one on this machine")]


@takes_detector_options
def scan(
    sources: Sources,
    out: Out,
    html: Html = None,
    resume: Resume = False,
    watch: Watch = False,
    interval: Interval = 5.0,
    sort: Sort = None,
    column: Column = None,
    follow_symlinks: FollowSymlinks = False,
    engine: EngineName = Engine.LOCAL,
    address: Address = None,
    workers: Workers = None,
    *,
    options: DetectorOptions,
) -> None:
    """Judge many pictures and write one table, with a row for each.

    Exit code: 0 the table is written; 1 it is, but a source that you named isn't there or can't be read; 2 the command
    was wrong; 130 stopped by Ctrl-C (continue with --resume).
    """
    from fauxto.scan import Scan
    from fauxto.scan.sorting import Sorter

    if watch and (engine is Engine.RAY or not all(Path(source).is_dir() for source in sources)):
        raise ConfigError("--watch works only with local folders and --engine local")
    sorter = Sorter(sort[0], sort[1], sources) if sort else None
    job = Scan(
        sources,
        out,
        options,
        resume=resume,
        column=column,
        follow_symlinks=follow_symlinks,
        pages=[html] if html else [],
        watched=watch,
    )
    with job, stoppable():
        try:
            if watch:
                from fauxto.cli.watch import Watching

                Watching().run(job, interval, workers or cores())
            else:
                with progress_bar() as on_progress:
                    job.run(engine, workers=workers, address=address, on_progress=on_progress)
            _finish(job, out, html, sorter, options, watched=watch)
            failed = job.failed_sources()
        except KeyboardInterrupt:
            job.journal.commit()
            judged = sum(job.journal.counts().values())
            typer.echo(f"stopped; {judged:,} rows are saved. Run the same command with --resume to continue", err=True)
            raise typer.Exit(STOPPED) from None
        if not watch:
            job.finish()
    for source, sentence in failed.items():
        typer.echo(f"fauxto: {printable(source)}: {printable(sentence)}", err=True)
    if failed:
        raise typer.Exit(1)


def _finish(
    job: Scan, out: Path, html: Path | None, sorter: Sorter | None, options: DetectorOptions, *, watched: bool
) -> None:
    from fauxto.scan.watching import reports_and_files

    reports = partial(reports_and_files, job.journal) if watched else job.journal.reports_and_files
    job.write()
    written = [str(out)]
    if html:
        from fauxto.scan import gallery

        gallery.write(reports(), html, options.limits)
        written.append(str(html))
    for line in _summary(job.journal.counts()):
        typer.echo(line)
    if job.sources.links_passed:
        links = job.sources.links_passed
        typer.echo(f"skipped {links:,} symbolic link{'s' * (links > 1)}; --follow-symlinks follows them")
    if count := job.journal.passed_over():
        typer.echo(passed_over(count))
    if sorter:
        typer.echo(f"sorted {sorter.sort(reports()):,} files")
    typer.echo(f"wrote {' and '.join(written)}")


def _summary(counts: dict[tuple[str, str | None], int]) -> Iterator[str]:
    total = sum(counts.values())
    if not total:
        yield "found no pictures"
        return
    verdicts = [(verdict, count) for (_, verdict), count in sorted(counts.items()) if verdict]
    unjudged = [(status, count) for (status, verdict), count in sorted(counts.items()) if not verdict]
    if unjudged:
        verdicts.append(("not judged", sum(count for _, count in unjudged)))
    yield f"{total:,} inputs: " + ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts)
    if unjudged:
        yield "not judged: " + ", ".join(f"{count:,} {status}" for status, count in unjudged)


@contextmanager
def stoppable() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _log_lines() -> OnProgress:
    """Return what logs how far the scan is, a line every `_LOG_SECONDS`, for logs in the place of a terminal."""
    began = logged = time.monotonic()
    before: int | None = None

    def log(done: int, total: int | None) -> None:
        nonlocal logged, before
        now = time.monotonic()
        before = done if before is None else before  # rows of an earlier run don't count for the speed
        if now - logged >= _LOG_SECONDS:
            logged = now
            of = "" if total is None else f" of {total:,}"
            typer.echo(f"judged {done:,}{of}, {(done - before) / (now - began):,.1f}/s", err=True)

    return log


@contextmanager
def progress_bar() -> Iterator[Callable[[int, int | None], None]]:
    """Show how many pictures are done: as a bar on a terminal, elsewhere as a line every half minute."""
    from rich import progress as bars
    from rich.console import Console
    from rich.theme import Theme

    class Rate(bars.ProgressColumn):
        """Pictures a second."""

        def render(self, task: bars.Task) -> Any:
            return f"{task.speed:,.1f}/s" if task.speed else ""

    console = Console(stderr=True, theme=Theme(PROGRESS_TERMINAL))
    if not console.is_terminal:
        yield _log_lines()
        return
    columns = (
        bars.TextColumn("Judging"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        Rate(),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=console) as bar:
        task = None

        def show(done: int, total: int | None) -> None:
            nonlocal task
            if task is None:  # rows of an earlier run don't count for the speed
                task = bar.add_task("", completed=done, total=total)
            bar.update(task, completed=done, total=total)

        yield show
