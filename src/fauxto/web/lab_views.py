"""The views of the page Laboratory, over fauxto.lab; without the extra `lab`, importing it raises MissingExtraError."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from fauxto.bundles.metrics import Evaluation
from fauxto.bundles.schema import build
from fauxto.lab.datasets import Dataset
from fauxto.lab.datasets.audit import STRONG_FROM, WEAK_FROM, Audit, audit
from fauxto.lab.datasets.exploration import explore
from fauxto.lab.evaluation import tables
from fauxto.lab.evaluation.results import RESULTS_VERSION
from fauxto.lab.run import Json, Run
from fauxto.web import charts
from fauxto.web.language import _
from fauxto.wording import printable

_MOST_COMPARED = 4


class Measured(NamedTuple):
    """What `fauxto evaluate` wrote of a run and a split, and its typed part."""

    results: Json
    evaluation: Evaluation


def show_exploration(folder: Path | None) -> None:
    """Show the exploration report of a data set: counts, samples, colours, mean pictures and spectra."""
    if folder is None or not st.button(_("Explore"), key="explore-now"):
        st.caption(_("Reads the data set and draws what it holds. Large sets take half a minute."))
        return
    with st.spinner(_("Reading the data set …")):
        page = _exploration(folder)
    st.download_button(_("Download this report (HTML)"), page, "exploration.html", "text/html", on_click="ignore")
    st.iframe(page, height=1000, alt=_("The exploration report"))


def _exploration(folder: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="fauxto-") as made:
        return explore(Dataset.open(folder), Path(made) / "exploration.html").read_text(encoding="utf-8")


def show_audit(folder: Path | None) -> None:
    """Show what could make a result on a data set look better than it is."""
    if folder is None or not st.button(_("Audit"), key="audit-now"):
        st.caption(_("Counts duplicates and leaks, and measures how far the files' outsides give the label away."))
        return
    with st.spinner(_("Auditing the data set …")):
        facts = audit(Dataset.open(folder))
    _show_audit(facts)


def _show_audit(facts: Audit) -> None:
    st.markdown(_("**Shortcuts**: how well the label can be told without looking at any trace of a generator."))
    if facts.shortcuts:
        charts.shortcuts((shortcut.facts, shortcut.auroc, shortcut.verdict) for shortcut in facts.shortcuts).show()
        st.caption(
            _(
                "Measured on {count:,} pictures, cross-validated. From {weak:g} a shortcut is called weak, from "
                "{strong:g} strong.",
                count=facts.sampled,
                weak=WEAK_FROM,
                strong=STRONG_FROM,
            )
        )
        for shortcut in facts.shortcuts:
            if shortcut.verdict != "no shortcut":
                st.text(_(shortcut.meaning))
    else:
        st.caption(_("A label has too few pictures to measure shortcuts."))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(_("**Pictures**"))
        splits = list(facts.balance)
        st.table(
            {
                _("split"): splits,
                **{label: [facts.balance[split].get(label, 0) for split in splits] for label in ("real", "ai")},
            },
            hide_index=True,
            border="horizontal",
            alt=_("Pictures by split and label"),
        )
    with right:
        st.markdown(_("**Exact duplicates**"))
        copies = {_("repeats within {split}", split=split): count for split, count in facts.duplicates.surplus.items()}
        copies |= {_("in both {pair}", pair=pair): count for pair, count in facts.duplicates.across.items()}
        copies[_("under both labels")] = facts.duplicates.both_labels
        st.table(
            {_("where"): list(copies), _("pictures"): list(copies.values())},
            hide_index=True,
            border="horizontal",
            alt=_("Exact duplicates"),
        )
    st.download_button(
        _("Download the audit (JSON)"),
        json.dumps(facts.to_dict(), indent=2),
        "audit.json",
        "application/json",
        on_click="ignore",
    )


def show_comparison(folder: Path | None) -> None:
    """Lay the evaluations of several runs side by side."""
    if folder is None:
        st.caption(_("Each run is a folder that `fauxto train` wrote and `fauxto evaluate` measured."))
        return
    measured, unreadable = _evaluations(folder)
    if unreadable:
        st.warning(
            _("These are damaged, or another fauxto wrote them; evaluate them again:"), icon=":material/history:"
        )
        st.text("\n".join(unreadable))
    if not measured:
        st.info(_("No run in this folder has been evaluated yet: `fauxto evaluate RUN --data DATA`."))
        return
    tests = [name for name, run in measured.items() if run.evaluation.use == "test"]
    chosen = st.multiselect(
        _("Evaluations"),
        list(measured),
        (tests or list(measured))[:_MOST_COMPARED],
        max_selections=_MOST_COMPARED,
        key=f"lab-evaluations-{folder}",
    )
    if chosen:
        _compare({name: measured[name] for name in chosen})


def _evaluations(folder: Path) -> tuple[dict[str, Measured], list[str]]:
    """Return what was measured of the runs in a folder, by run and split, and the names of those in another form."""
    measured: dict[str, Measured] = {}
    unreadable = []
    for run in (Run(path) for path in sorted(folder.iterdir()) if path.is_dir()):
        for path in sorted(run.folder.glob("evaluation/*.json")):
            if path.stem.endswith("-robustness"):
                continue
            results, name = run.results(path.stem) or {}, printable(f"{run.name}, {path.stem}")
            try:
                if results["version"] != RESULTS_VERSION:
                    raise ValueError("an older form")
                measured[name] = Measured(results, build(Evaluation, results["evaluation"], "evaluation"))
            except (KeyError, ValueError):
                unreadable.append(name)
    return measured, unreadable


def _compare(measured: Mapping[str, Measured]) -> None:
    if len({run.results["subject"]["manifest_sha256"] for run in measured.values()}) > 1:
        st.warning(
            _("These were measured on different data sets: their figures can't be compared."), icon=":material/warning:"
        )
    columns: dict[str, Sequence[object]] = {}
    for name, run in measured.items():
        rows = tables.overview_table(run.results)[1]
        columns.setdefault("", [_(str(row[0])) for row in rows])
        columns[name] = [row[1] for row in rows]
    st.dataframe(columns, hide_index=True, alt=_("The main figures of each evaluation"))
    evaluations = {name: run.evaluation for name, run in measured.items()}
    st.markdown(_("**As found, and after saving it smaller** (AUROC)"))
    charts.aurocs(evaluations).show()
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(_("**Generated pictures found against photographs called generated** (ROC)"))
        curves = {name: run.results["full"]["curves"] for name, run in measured.items()}
        charts.roc({name: curve["roc"] for name, curve in curves.items() if curve}).show()
    with right:
        st.markdown(_("**Do the probabilities hold?** (on the diagonal they do)"))
        charts.reliability(evaluations).show()
