"""A `Report` as one line for the terminal and for pipes: the verdict, the probability, the file."""

from __future__ import annotations

from rich.text import Text

from fauxto import wording
from fauxto.palette import TERMINAL
from fauxto.report import Basis, Lean, Report, Verdict

_NOT_JUDGED = "not judged"
_VERDICT_WIDTH = max(map(len, (*Verdict, _NOT_JUDGED)))
_PERCENT_WIDTH = len(wording.percent(1.0))


def report_line(report: Report) -> Text:
    """Return a report as one line, whatever its length; every text is escaped."""
    counts = report.probability is not None and wording.is_in_domain(report)
    percent = wording.percent(report.probability) if counts and report.probability is not None else ""
    line = Text(no_wrap=True)
    verdict = report.verdict or _NOT_JUDGED
    line.append(
        f"{wording.SYMBOLS[report.verdict]} {verdict:{_VERDICT_WIDTH}}", style=f"bold {TERMINAL[report.verdict]}"
    )
    line.append(f"  {percent:>{_PERCENT_WIDTH}}  {wording.printable(report.path or '')}")
    if why := _why(report):
        line.append(f"  ({why})", style="dim")
    return line


def _why(report: Report) -> str:
    """Return in a few words what a line can't show: on what else a verdict rests, or why there is none."""
    if report.verdict is None:
        return report.status.replace("_", " ")
    if report.basis is not Basis.PIXELS:
        return str(report.basis)
    if report.lean is not Lean.NONE:
        return wording.finding(report).lean
    words = (reason.word for reason in report.reasons)
    part = "a part of it" if report.crop else ""
    return next((word.replace("_", " ") for word in words if word in wording.SHORT_OF_A_VERDICT), part)
