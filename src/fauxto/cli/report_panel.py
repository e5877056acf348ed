"""A `Report` as a panel for the terminal.

Every text goes through `printable` into a rich `Text`, which interprets no markup: file names and bundle
texts are untrusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.console import Group as Lines
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from fauxto import error_rates, wording
from fauxto.addresses import is_address
from fauxto.bundles import Bundle, OperatingPoint
from fauxto.cli.evidence_card import evidence_card
from fauxto.cli.hints import how_to_check
from fauxto.palette import TERMINAL
from fauxto.report import Evidence, Report, Status, Verdict
from fauxto.wording import Group, printable

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
        show_evidence: Whether every source gets a card; otherwise those that found nothing are left out.
    """
    symbol, colour = wording.SYMBOLS[report.verdict], TERMINAL[report.verdict]
    width = min(console.width, _WIDEST)
    finding = wording.finding(report)
    title = Text(f"{symbol} {finding.headline}", style=f"bold {colour}")
    if finding.lean:
        title.append(f" · {finding.lean}", style="not bold")
    return Panel(
        Lines(*_lines(report, bundle, point_name, width - 4, show_evidence)),
        title=title,
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
    groups = wording.grouped(report.evidence)
    yield _reasons(report, () if show_evidence else groups[Group.SAYS])
    for title, pieces in groups.items():
        if show_evidence and pieces:
            yield from ("", Text(title, style="bold underline"))
            for piece in pieces:
                yield from ("", evidence_card(piece))
    if groups[Group.FOUND] and not show_evidence:
        yield from ("", Text(Group.FOUND, style="bold"), _bullets(map(_summary, groups[Group.FOUND])))
    if report.image is not None and report.model is not None:
        image, model = report.image, report.model
        yield ""
        yield _text(f"{image.format}, {image.width} × {image.height} px, sha256 {image.sha256[:16]}…", style="dim")
        yield _text(f"judged by {model.name} {model.version}", style="dim")


def _probability(report: Report, probability: float, bundle: Bundle, point_name: str, width: int) -> Iterator[Text]:
    counts = wording.is_in_domain(report)
    line = Text("Probability that it was generated: ")
    line.append(wording.percent(probability), style="bold" if counts else "dim")
    yield line if counts else line.append(" (not reliable)")
    yield _bar(probability, bundle.operating_points[point_name], width, is_dim=not counts)
    if counts and report.score is not None:
        yield Text(error_rates.scored_this_high(bundle, report.score))


def _bar(probability: float, point: OperatingPoint, width: int, *, is_dim: bool) -> Text:
    """Return a scale from photograph to generated with a marker; the inconclusive band is dotted.

    It has no colours where `is_dim`: the probability isn't reliable then.
    """
    left, right = "photograph ", " generated"
    cells = max(width - len(left) - len(right), 1)
    bar = Text(left, style="dim" if is_dim else "", no_wrap=True, overflow="crop")
    for cell in range(cells):
        middle = (cell + 0.5) / cells
        if cell == min(int(probability * cells), cells - 1):
            bar.append("┃", style="dim" if is_dim else "bold")
        elif middle <= point.real_below:
            bar.append("━", style="" if is_dim else TERMINAL[Verdict.REAL])
        elif middle >= point.ai_above:
            bar.append("━", style="" if is_dim else TERMINAL[Verdict.AI])
        else:
            bar.append("╌")
    return bar.append(right)


def _reasons(report: Report, evidence: Iterable[Evidence]) -> Table:
    sentences = list(map(wording.as_sentence, report.reasons))
    # The reasons already include evidence that contributed to the verdict.
    stated = {reason.sentence for reason in report.reasons}
    sentences += [piece.summary for piece in evidence if piece.summary not in stated]
    if report.status is Status.NOT_FOUND and report.path and is_address(report.path):
        sentences.append(f"To judge it: {how_to_check(report.path)}")
    return _bullets(map(_text, sentences))


def _summary(evidence: Evidence) -> Text:
    return _text(evidence.summary, TERMINAL[None] if evidence.is_tampered else "")


def _bullets(items: Iterable[Text]) -> Table:
    table = Table.grid(padding=(0, 1))
    for item in items:
        table.add_row("•", item)
    return table


def _text(words: str, style: str = "") -> Text:
    return Text(printable(words), style=style, overflow="fold")
