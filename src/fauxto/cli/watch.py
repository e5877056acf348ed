"""`fauxto watch`: judge the pictures that arrive in folders."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fauxto.cli.options import takes_detector_options
from fauxto.cli.scan import FollowSymlinks, Sort, stoppable
from fauxto.errors import ConfigError
from fauxto.options import DetectorOptions
from fauxto.report import Report, Status
from fauxto.wording import finding, printable

if TYPE_CHECKING:
    from fauxto.scan import Scan
    from fauxto.scan.notices import Outbox
    from fauxto.scan.sorting import Sorter
    from fauxto.scan.watching import Arrival, Watch

_END_SECONDS = 2.0  # for the last notices, and again for the table: a service manager doesn't wait for long
_NAME_CHARACTERS = 120

Folders = Annotated[list[str], typer.Argument(metavar="FOLDER", help="Folders of this machine.", show_default=False)]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="Table to write: .jsonl, .csv or .parquet.", show_default="the folder's name.jsonl"),
]
Interval = Annotated[
    float, typer.Option(min=0.1, help="Seconds between looks, and for which a new file must be unchanged.")
]
Notify = Annotated[bool, typer.Option(help="Tell of new pictures on the desktop, where that can be done.")]
Webhook = Annotated[
    str | None, typer.Option(metavar="URL", help="Post the report on each new picture there.", show_default=False)
]
Workers = Annotated[int, typer.Option(min=1, help="Pictures to judge at a time; each takes memory for the models.")]


@takes_detector_options
def watch(
    folders: Folders,
    out: Out = None,
    interval: Interval = 5.0,
    notify: Notify = True,
    webhook: Webhook = None,
    sort: Sort = None,
    follow_symlinks: FollowSymlinks = False,
    workers: Workers = 1,
    *,
    options: DetectorOptions,
) -> None:
    """Judge the pictures in folders, and those that arrive there, until it is stopped.

    It goes on where it stopped, or was killed, when it is started again. Exit code: 0 stopped by Ctrl-C or SIGTERM; 2
    the command was wrong, or nothing can be judged any more.
    """
    from fauxto.scan import Scan, notices
    from fauxto.scan.sorting import Sorter

    missing = next((folder for folder in folders if not Path(folder).is_dir()), None)
    if missing is not None:
        raise ConfigError(f"{missing} isn't a folder of this machine; name the folder to watch")
    table = out or _default_table(folders[0])
    sorter = Sorter(sort[0], sort[1], folders) if sort else None
    post = notices.webhook(webhook) if webhook else None
    show = notices.desktop() if notify else None
    opened = Scan(folders, table, options, resume=True, follow_symlinks=follow_symlinks, watched=True)
    with stoppable(), suppress(KeyboardInterrupt), opened as job:
        so_far = f"; it has {_rows(job)} so far" if job.journal.counts() else ""
        typer.echo(f"watching {', '.join(map(printable, folders))}; rows go to {table}{so_far}; Ctrl-C ends it")
        watching = Watching(sorter, notices.Outbox(post, warn) if post else None, show and notices.Outbox(show, warn))
        watching.run(job, interval, workers)
        typer.echo(f"stopped; {table} has {_rows(job)}")


def _rows(job: Scan) -> str:
    count = sum(job.journal.counts().values())
    return f"{count:,} row{'s' * (count != 1)}"


class Watching:
    """What happens to each picture that arrives: a line, a place in a folder, notices."""

    def __init__(
        self,
        sorter: Sorter | None = None,
        webhook: Outbox[dict[str, Any]] | None = None,
        desktop: Outbox[tuple[str, str]] | None = None,
    ) -> None:
        from rich.console import Console

        self._sorter = sorter
        self._webhook = webhook
        self._desktop = desktop
        self._console = Console()

    def run(self, job: Scan, interval: float, workers: int) -> None:
        """Watch until Ctrl-C, then end within seconds."""
        from fauxto.scan.watching import Watch

        with Watch(job, interval=interval, workers=workers, warn=warn) as watch:
            with suppress(KeyboardInterrupt):
                for report, file in watch.judged() if self._sorter else ():  # a kill may have come before
                    self._sort(report, file)
                while True:
                    news = [arrival.report for arrival in watch.look() if self._handle(arrival)]
                    if news and self._desktop:
                        self._desktop.put(_notice(news))
                    watch.pause()
            with suppress(KeyboardInterrupt):
                self._end(watch)

    def _handle(self, arrival: Arrival) -> bool:
        """Do what is asked for with a picture, and tell whether there is news of it."""
        from rich.text import Text

        from fauxto.cli.report_line import report_line

        report = arrival.report
        line = Text(time.strftime("%H:%M:%S  ")).append_text(report_line(report))
        self._console.print(line, soft_wrap=True)
        if arrival.file and self._sorter:
            self._sort(report, arrival.file)
        is_news = arrival.is_news and report.status is not Status.UNSUPPORTED_FORMAT
        if is_news and self._webhook:
            text = f"{_words(report)}: {_name(report)}"
            self._webhook.put({"version": 1, "event": "picture", "text": text, "report": report.to_dict()})
        return is_news

    def _sort(self, report: Report, file: str) -> None:
        try:
            if self._sorter:
                self._sorter.sort([(report, file)])
        except OSError as error:
            warn(f"{file} can't be sorted ({error}); a new start tries again")

    def _end(self, watch: Watch) -> None:
        lost = sum(box.close(_END_SECONDS) for box in (self._webhook, self._desktop) if box)
        if lost:
            warn(f"{lost:,} notice{'s' * (lost > 1)} couldn't be sent")
        if not watch.write(_END_SECONDS):
            warn("the table lacks the last rows, which are in its journal; a new start adds them")


def _default_table(folder: str) -> Path:
    """Return the table of who names none: in the current folder, by the watched folder's name.

    Raises:
        ConfigError: A file of that name is there which no watch began: it is a scan's, or anyone's.
    """
    from fauxto.scan.files import journal_of

    table = Path(f"{Path(folder).resolve().name or 'watch'}.jsonl")
    if table.exists() and not journal_of(table).exists():
        raise ConfigError(
            f"{table} is there already and belongs to no watch ({journal_of(table)} isn't beside it): name another "
            "table with --out, or move this one away"
        )
    return table


def warn(sentence: str) -> None:
    """Print a sentence on standard error."""
    typer.echo(f"fauxto: {printable(sentence)}", err=True)


def _notice(reports: list[Report]) -> tuple[str, str]:
    """Return the title and the text of one notice on all pictures of a look."""
    if len(reports) == 1:
        return _words(reports[0]), _name(reports[0])
    counts = Counter(str(report.verdict or "not judged") for report in reports)
    return f"{len(reports):,} new pictures", ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items()))


def _words(report: Report) -> str:
    plain = finding(report)
    return f"{plain.headline} ({plain.lean})" if plain.lean else plain.headline


def _name(report: Report) -> str:
    return printable(Path(report.path or "").name)[:_NAME_CHARACTERS]
