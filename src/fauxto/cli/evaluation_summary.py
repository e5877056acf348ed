"""The figures of an evaluation on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fauxto.palette import TERMINAL
from fauxto.report import Verdict

_WIDTH_IN_FILES = 140  # so that no cell is cut where there is no screen to fit
_MOST_GROUPS = 12
_LABELS = (("real", "photographs", "fpr", "cleared"), ("ai", "AI pictures", "tpr", "missed"))

Results = Mapping[str, Any]


def print_results(results: Results) -> None:
    """Print what was measured on a data set."""
    from fauxto.lab.evaluation import tables

    console = _console()
    for header, rows in (tables.protocol_table(results), tables.verdict_table(results)):
        table = Table(*header, box=None)
        for row in rows:
            table.add_row(*("" if cell is None else Text(str(cell)) for cell in row))
        console.print(table)
    console.print(Text(f"\n{results['full']['printed_report']}"))


def print_own(results: Results) -> None:
    """Print what was measured on a person's own pictures."""
    from fauxto.lab.evaluation.own_pages import words

    console = _console()
    for sentence in words(results):
        console.print(Text(sentence), soft_wrap=not console.is_terminal)
    for model in results["models"]:
        clean = model["evaluation"]["protocols"][0]
        console.print()
        console.print(Text(f"{model['name']} {model['subject']['version']}", style="bold"))
        console.print(_figures(clean))
        rows = [
            (point, what, clean["verdicts"][point], label)
            for point in clean["verdicts"]
            for label, what, *_ in _LABELS
            if clean[label]
        ]
        console.print(_verdicts(("operating point", "pictures"), rows))
        for title, label in (("source", "real"), ("generator", "ai")):
            groups = model["evaluation"]["groups"].get(title, ())
            _print_groups(console, title, label, [group for group in groups if group[label]])
    console.print()


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_IN_FILES)
    return console


def _figures(clean: Results) -> Text:
    """Return the figures that need no operating point; those that need both labels only where there are both."""
    auroc = clean["auroc"]
    parts = []
    if auroc["value"] is not None:
        parts.append(f"AUROC {auroc['value']:.4f} ({auroc['low']:.4f} to {auroc['high']:.4f})")
        parts.append(f"balanced accuracy {100 * clean['balanced_accuracy']:.2f} %")
    return Text(", ".join([*parts, f"ECE {clean['ece']:.4f}"]))


def _verdicts(titles: tuple[str, str], rows: Sequence[tuple[str, str, Results, str]]) -> Table:
    """Return a table of verdicts on one label a row; the intervals are of 95 %."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column(titles[0], overflow="fold")
    table.add_column(titles[1], no_wrap=True)
    for verdict in (Verdict.AI, Verdict.REAL):
        table.add_column(f"called {verdict}", justify="right", no_wrap=True, style=TERMINAL[verdict])
        table.add_column("95 %", no_wrap=True, style="dim")
    table.add_column("inconclusive", justify="right")
    keys = {label: (ai, real) for label, _, ai, real in _LABELS}
    before = ""
    for name, what, verdicts, label in rows:
        shares = [verdicts[key] for key in keys[label]]
        cells = [cell for share in shares for cell in (_percent(share["value"]), _range(share))]
        rest = max(0.0, 1 - sum(share["value"] for share in shares))
        table.add_row(Text("" if name == before else name), Text(what), *cells, _percent(rest))
        before = name
    return table


def _print_groups(console: Console, title: str, label: str, groups: Sequence[Results]) -> None:
    """Print the groups of a label with the most wrong verdicts at `balanced`; nothing where there are no two."""
    if len(groups) < 2:
        return
    wrong = "fpr" if label == "real" else "missed"
    worst = sorted(groups, key=lambda group: -group[label] * group["verdicts"]["balanced"][wrong]["value"])
    rows = [(group["name"], f"{group[label]:,} {label}", group["verdicts"]["balanced"], label) for group in worst]
    cut = len(rows) - _MOST_GROUPS
    console.print(Text(f"\nAt balanced, by {title}, most wrong verdicts first:"))
    console.print(_verdicts((title, "pictures"), rows[:_MOST_GROUPS]))
    if cut > 0:
        console.print(Text(f"… and {cut:,} more on the page", style="dim"))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _range(share: Results) -> str:
    return f"{100 * share['low']:.0f}–{100 * share['high']:.0f}"
