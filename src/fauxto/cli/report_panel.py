"""A `Report` as a panel for the terminal.

Every text goes through `printable` into a rich `Text`, which interprets no markup: file names and bundle
texts are untrusted.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fauxto import error_rates, wording
from fauxto.addresses import is_address
from fauxto.bundles import Bundle, OperatingPoint
from fauxto.cli.evidence_card import evidence_card
from fauxto.cli.hints import how_to_check
from fauxto.palette import TERMINAL
from fauxto.report import Report, Says, Status, Verdict
from fauxto.wording import printable

_WIDEST = 88


def report_panel(
    report: Report, bundle: Bundle, point_name: str, console: Console, *, show_evidence: bool = False
) -> Panel:
    """Return a panel that fits the console.

    Args:
        report: What to show.
        bundle: The bundle that judged it.
        point_name: Name of the operating point.
        console: Where the panel will be printed.
        show_evidence: Whether every source gets a card; otherwise only those that say something are listed.
    """
    symbol, colour = wording.SYMBOLS[report.verdict], TERMINAL[report.verdict]
    width = min(console.width, _WIDEST)
    return Panel(
        Group(*_lines(report, bundle, point_name, width - 4, show_evidence)),
        title=Text(f"{symbol} {wording.finding(report).headline}", style=f"bold {colour}"),
        title_align="left",
        border_style=colour,
        width=width,
    )


def _lines(
    report: Report, bundle: Bundle, point_name: str, width: int, show_evidence: bool
) -> Iterator[RenderableType]:
    yield _text(report.path or "", style="bold")
    yield ""
    if report.probability is not None:
        yield from _probability(report, report.probability, bundle, point_name, width)
        yield ""
    yield _reasons(report, show_evidence)
    for piece in report.evidence if show_evidence else ():
        yield ""
        yield evidence_card(piece)
    if report.image is not None and report.model is not None:
        image, model = report.image, report.model
        yield ""
        yield _text(f"{image.format}, {image.width} × {image.height} px, sha256 {image.sha256[:16]}…", style="dim")
        yield _text(f"judged by {model.name} {model.version}", style="dim")


def _probability(report: Report, probability: float, bundle: Bundle, point_name: str, width: int) -> Iterator[Text]:
    counts = wording.is_in_domain(report)
    line = Text("Probability that it was generated: ")
    line.append(wording.percent(probability), style=f"bold {TERMINAL[report.verdict]}")
    yield line if counts else line.append(" (not reliable)")
    yield _bar(probability, bundle.operating_points[point_name], width, is_dim=not counts)
    if counts and report.score is not None:
        yield Text(error_rates.scored_this_high(bundle, report.score))


def _bar(probability: float, point: OperatingPoint, width: int, *, is_dim: bool) -> Text:
    """Return a scale from photograph to generated with a marker; the inconclusive band is dotted."""
    left, right = "photograph ", " generated"
    cells = max(width - len(left) - len(right), 1)
    bar = Text(left, style="dim" if is_dim else "", no_wrap=True, overflow="crop")
    for cell in range(cells):
        middle = (cell + 0.5) / cells
        if cell == min(int(probability * cells), cells - 1):
            bar.append("┃", style="bold")
        elif middle <= point.real_below:
            bar.append("━", style=TERMINAL[Verdict.REAL])
        elif middle >= point.ai_above:
            bar.append("━", style=TERMINAL[Verdict.AI])
        else:
            bar.append("╌")
    return bar.append(right)


def _reasons(report: Report, show_evidence: bool) -> Table:
    sentences = list(map(wording.as_sentence, report.reasons))
    if not show_evidence:  # the reasons already include evidence that contributed to the verdict
        stated = {reason.sentence for reason in report.reasons}
        telling = (piece.summary for piece in report.evidence if piece.says is not Says.NOTHING or piece.is_credential)
        sentences += [summary for summary in telling if summary not in stated]
    if report.status is Status.NOT_FOUND and report.path and is_address(report.path):
        sentences.append(f"To judge it: {how_to_check(report.path)}")
    table = Table.grid(padding=(0, 1))
    for sentence in sentences:
        table.add_row("•", _text(sentence))
    return table


def _text(words: str, style: str = "") -> Text:
    return Text(printable(words), style=style, overflow="fold")
