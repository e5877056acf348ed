"""A `Report` as a panel for a person at a terminal.

Every text goes through `printable` into a rich `Text`, which interprets no markup: the names of files and the
words of a bundle are strangers' words.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from fauxto.bundles import OperatingPoint
from fauxto.cli.terminal import printable
from fauxto.report import Report, Status, Verdict
from fauxto.web import wording

# The symbol says to those who don't see the colour what the colour says.
_LOOK = {
    Verdict.AI: ("▲", "dark_orange"),
    Verdict.REAL: ("●", "dodger_blue1"),
    Verdict.INCONCLUSIVE: ("?", "yellow"),
    None: ("✕", "red"),
}
_IN_ASCII = str.maketrans("▲●✕━╌┃•×·…", "!ox=.|*x-.")
_LONGEST_BAR = 48


def report_panel(report: Report, point: OperatingPoint, console: Console) -> Panel:
    """Return a panel that fits the console's width and encoding.

    Args:
        report: What to show.
        point: The thresholds that were used.
        console: Where the panel will be printed.
    """
    symbol, colour = _LOOK[report.verdict]
    title = Text(f" {symbol} {wording.finding(report).headline} ", style=f"bold {colour}")
    lines = [
        Text(printable(report.path or "-"), style="bold", overflow="fold"),
        *_body(report, point, console),
    ]
    if console.options.ascii_only:
        title, *lines = (_in_ascii(line) for line in (title, *lines))
    return Panel(Group(*lines), title=title, title_align="left", border_style=colour)


def _body(report: Report, point: OperatingPoint, console: Console) -> Iterator[Text]:
    if report.probability is not None:
        counts = wording.is_in_domain(report)
        yield Text()
        yield _bar(report.probability, point, console.width - 4, colour=_LOOK[report.verdict][1] if counts else "dim")
        if counts and report.fpr_at_score is not None:
            yield Text(wording.share_of_photographs(report.fpr_at_score))
    yield Text()
    for reason in report.reasons:
        yield _bullet(wording.split_reason(reason)[1])
    if report.status is Status.NOT_A_FILE:
        yield _bullet("For the pictures in a folder, name them by a pattern: fauxto check 'FOLDER/*.jpg'")
    for evidence in report.evidence:
        yield _bullet(evidence.summary)
    if report.image is not None:
        image = report.image
        yield Text()
        yield _dim(f"{image.format} · {image.width} × {image.height} px · sha256 {image.sha256[:16]}…")
    if report.model is not None:
        yield _dim(f"{report.model.name} {report.model.version} · sha256 {report.model.sha256[:16]}…")


def _bar(probability: float, point: OperatingPoint, width: int, colour: str) -> Text:
    """Return P(AI) on a scale from photograph to generated; the inconclusive band is dotted."""
    left, right, percent = "photograph ", " generated", f"   {wording.percent(probability)}"
    cells = min(_LONGEST_BAR, width - len(left + right + percent))
    if cells < 10:
        return Text(f"Probability of AI: {wording.percent(probability)}", style=colour)
    bar = Text(left)
    marker = min(int(probability * cells), cells - 1)
    for cell in range(cells):
        middle = (cell + 0.5) / cells
        if cell == marker:
            bar.append("┃", style=f"bold {colour}")
        elif point.real_below < middle < point.ai_above:
            bar.append("╌", style="dim")
        else:
            bar.append("━", style=_LOOK[Verdict.REAL if middle <= point.real_below else Verdict.AI][1])
    return bar.append(right).append(percent, style=f"bold {colour}")


def _bullet(sentence: str) -> Text:
    return Text(f"• {printable(sentence)}", overflow="fold")


def _dim(text: str) -> Text:
    return Text(printable(text), style="dim", overflow="fold")


def _in_ascii(text: Text) -> Text:
    plain = text.copy()
    plain.plain = text.plain.translate(_IN_ASCII)
    return plain
