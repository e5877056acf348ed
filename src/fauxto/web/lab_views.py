"""The views of the page Laboratory, over fauxto.lab; without the extra `lab`, importing it raises MissingExtraError."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from fauxto.lab.datasets import Dataset
from fauxto.lab.datasets.audit import STRONG_FROM, WEAK_FROM, Audit, audit
from fauxto.lab.datasets.exploration import explore
from fauxto.lab.evaluation import report
from fauxto.palette import SHORTCUT
from fauxto.wording import printable

_MOST_COMPARED = 4


def show_exploration(folder: Path | None) -> None:
    """Show the exploration report of a data set: counts, samples, colours, mean pictures and spectra."""
    if folder is None or not st.button("Explore", key="explore-now"):
        st.caption("Reads the data set and draws what it holds. Large sets take half a minute.")
        return
    with st.spinner("Reading the data set …"):
        page = _exploration(folder)
    st.download_button("Download this report (HTML)", page, "exploration.html", "text/html", on_click="ignore")
    st.iframe(page, height=1000, alt="The exploration report")


def _exploration(folder: Path) -> str:
    with tempfile.TemporaryDirectory(prefix="fauxto-") as made:
        return explore(Dataset.open(folder), Path(made) / "exploration.html").read_text(encoding="utf-8")


def show_audit(folder: Path | None) -> None:
    """Show what could make a result on a data set look better than it is."""
    if folder is None or not st.button("Audit", key="audit-now"):
        st.caption("Counts duplicates and leaks, and measures how far the files' outsides give the label away.")
        return
    with st.spinner("Auditing the data set …"):
        found = audit(Dataset.open(folder))
    _show_audit(found)


def _show_audit(found: Audit) -> None:
    st.markdown("**Shortcuts**: how well the label can be told without looking at any trace of a generator.")
    rows = [{"facts": one.facts, "auroc": one.auroc, "verdict": one.verdict} for one in found.shortcuts]
    if rows:
        scale = {"domain": list(SHORTCUT), "range": list(SHORTCUT.values())}
        st.vega_lite_chart(
            rows,
            {
                "height": 30 * len(rows) + 40,
                "encoding": {"y": {"field": "facts", "type": "nominal", "sort": None, "title": None}},
                "layer": [
                    {
                        "mark": {"type": "bar", "cornerRadiusEnd": 3},
                        "encoding": {
                            "x": {
                                "field": "auroc",
                                "type": "quantitative",
                                "scale": {"domain": [0.5, 1], "clamp": True},
                                "title": "AUROC (0.5 is chance)",
                            },
                            "color": {"field": "verdict", "type": "nominal", "scale": scale, "title": None},
                        },
                    },
                    {
                        "mark": {"type": "text", "align": "left", "dx": 4},
                        "encoding": {
                            "x": {"field": "auroc", "type": "quantitative"},
                            "text": {"field": "auroc", "format": ".3f"},
                        },
                    },
                ],
            },
            alt="; ".join(f"{row['facts']}: {row['auroc']:.3f}, {row['verdict']}" for row in rows),
        )
        st.caption(
            f"Measured on {found.sampled:,} pictures, cross-validated. From {WEAK_FROM:g} a shortcut is called weak, "
            f"from {STRONG_FROM:g} strong."
        )
        for one in found.shortcuts:
            if one.verdict != "no shortcut":
                st.text(one.meaning)
    else:
        st.caption("A label has too few pictures to measure shortcuts.")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Pictures**")
        splits = list(found.balance)
        st.table(
            {
                "split": splits,
                **{label: [found.balance[one].get(label, 0) for one in splits] for label in ("real", "ai")},
            },
            hide_index=True,
            border="horizontal",
            alt="Pictures by split and label",
        )
    with right:
        st.markdown("**Exact duplicates**")
        copies = {f"repeats within {split}": count for split, count in found.duplicates.surplus.items()}
        copies |= {f"in both {pair}": count for pair, count in found.duplicates.across.items()}
        copies["under both labels"] = found.duplicates.both_labels
        st.table(
            {"where": list(copies), "pictures": list(copies.values())},
            hide_index=True,
            border="horizontal",
            alt="Exact duplicates",
        )
    st.download_button(
        "Download the audit (JSON)",
        json.dumps(found.to_dict(), indent=2),
        "audit.json",
        "application/json",
        on_click="ignore",
    )


def show_comparison(folder: Path | None) -> None:
    """Lay the evaluations of several runs side by side."""
    if folder is None:
        st.caption("Each run is a folder that `fauxto train` wrote and `fauxto evaluate` measured.")
        return
    splits = ("test", "val", "train")
    found = {
        f"{run.name}, {split}": results
        for run in sorted(folder.iterdir())
        for split in splits
        if run.is_dir() and (results := report.read_results(run, split)) is not None
    }
    if not found:
        st.info("No run in this folder has been evaluated yet: `fauxto evaluate RUN --data DATA`.")
        return
    names = list(map(printable, found))
    results = dict(zip(names, found.values(), strict=True))
    first = [name for name in names if name.endswith(", test")] or names
    chosen = st.multiselect(
        "Evaluations", names, first[:_MOST_COMPARED], max_selections=_MOST_COMPARED, key=f"lab-evaluations-{folder}"
    )
    if chosen:
        _compare({name: results[name] for name in chosen})


def _compare(results: Mapping[str, Mapping[str, Any]]) -> None:
    if len({one["subject"]["manifest_sha256"] for one in results.values()}) > 1:
        st.warning(
            "These were measured on different data sets: their figures can't be compared.", icon=":material/warning:"
        )
    columns: dict[str, Sequence[object]] = {}
    for name, one in results.items():
        _, rows = report.overview_table(one)
        columns.setdefault("", [row[0] for row in rows])
        columns[name] = [row[1] for row in rows]
    st.dataframe(columns, hide_index=True, alt="The main figures of each evaluation")
    curves = [
        {"evaluation": name, "fpr": fpr, "tpr": tpr}
        for name, one in results.items()
        if one["full"]["curves"]
        for fpr, tpr in zip(*(one["full"]["curves"]["roc"][axis] for axis in ("fpr", "tpr")), strict=True)
    ]
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Found for photographs accused** (ROC, to 20 %)")
        st.vega_lite_chart(curves, _lines("fpr", "tpr", [0, 0.2], [0.5, 1]), alt="ROC curve of each evaluation")
    bins = [
        {"evaluation": name, "probability": one_bin["probability"], "share": one_bin["share_ai"]}
        for name, one in results.items()
        for one_bin in list(one["full"]["calibration"].values())[-1]["reliability"]
        if one_bin["count"]
    ]
    with right:
        st.markdown("**Do the probabilities hold?** (the diagonal is right)")
        st.vega_lite_chart(bins, _lines("probability", "share", [0, 1], [0, 1]), alt="Reliability of each evaluation")


def _lines(x: str, y: str, x_domain: list[float], y_domain: list[float]) -> dict[str, Any]:
    def axis(field: str, domain: list[float]) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": domain, "clamp": True},
            "axis": {"format": ".0%"},
        }

    return {
        "height": 300,
        "mark": {"type": "line", "clip": True},
        "encoding": {
            "x": axis(x, x_domain),
            "y": axis(y, y_domain),
            "color": {"field": "evaluation", "type": "nominal", "title": None, "legend": {"orient": "bottom"}},
            "strokeDash": {"field": "evaluation", "type": "nominal", "legend": None},
        },
    }
