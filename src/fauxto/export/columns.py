"""The columns of the flat tables (CSV, Parquet): name, kind and meaning, and a report as a row of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from fauxto.evidence import SOURCES
from fauxto.report import Report
from fauxto.wording import Group, group

Cell = str | int | float | None

MAX_TEXT = 32_000
"""Characters of one cell; a spreadsheet takes 32,767."""

_BETWEEN = " | "


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `kind` is what its cells hold where they aren't empty."""

    name: str
    kind: Literal["text", "integer", "number"]
    meaning: str


def _evidence_columns() -> Iterator[Column]:
    """Yield the columns of each built-in source; those of plug-ins share one, `other_evidence`."""
    for source in SOURCES:
        named = source.replace("_", " ")
        yield Column(f"{source}_says", "text", f"what the source {named} says: ai, real or nothing")
        yield Column(f"{source}_trust", "text", "how far to trust that: signed, declared or inferred")
        yield Column(f"{source}_summary", "text", "the same in one sentence")


COLUMNS = (
    Column("path", "text", "path or name that the caller gave"),
    Column("status", "text", "ok, or why the picture could not be judged"),
    Column("verdict", "text", "real, ai or inconclusive"),
    Column("basis", "text", "what the verdict rests on"),
    Column("lean", "text", "where pixels without a verdict lean: ai, real or none; not a verdict"),
    Column("probability", "number", "calibrated probability of AI from the pixels alone, 0 to 1"),
    Column("score", "number", "the network's raw logit of AI"),
    Column("fpr_at_score", "number", "share of real validation pictures that score at least as high"),
    Column("stability_flips", "integer", "mild re-encodings that flipped the verdict"),
    Column("stability_of", "integer", "mild re-encodings that were tried"),
    Column("reasons", "text", "the reasons, joined by ' | '"),
    *_evidence_columns(),
    Column("other_evidence", "text", "what other packages' sources say or found, joined by ' | '"),
    Column("width", "integer", "of the picture after orientation, in pixels"),
    Column("height", "integer", "of the picture after orientation, in pixels"),
    Column("crop_x", "integer", "left edge of the part that was judged, in pixels; empty for the whole"),
    Column("crop_y", "integer", "its upper edge"),
    Column("crop_width", "integer", "its width"),
    Column("crop_height", "integer", "its height"),
    Column("format", "text", "container format, such as JPEG"),
    Column("sha256", "text", "of the file's bytes"),
    Column("model_name", "text", "the bundle that gave the score"),
    Column("model_version", "text", "its version"),
    Column("model_sha256", "text", "of its network"),
    Column("milliseconds_decode", "number", "time to read and decode"),
    Column("milliseconds_evidence", "number", "time to gather the evidence"),
    Column("milliseconds_model", "number", "time of the network"),
)


def row(report: Report) -> dict[str, Cell]:
    """Return the cells of one report by the name of their column, in the order of `COLUMNS`; None where empty."""
    filled: dict[str, Cell] = {
        "path": report.path,
        "status": report.status.value,
        "verdict": None if report.verdict is None else report.verdict.value,
        "basis": None if report.basis is None else report.basis.value,
        "lean": None if report.verdict is None else report.lean.value,
        "probability": report.probability,
        "score": report.score,
        "fpr_at_score": report.fpr_at_score,
        "reasons": _BETWEEN.join(map(str, report.reasons)) or None,
        **_evidence(report),
        **{f"milliseconds_{stage}": report.milliseconds.get(stage) for stage in ("decode", "evidence", "model")},
    }
    if report.stability is not None:
        filled |= {"stability_flips": report.stability.flips, "stability_of": report.stability.of}
    if report.image is not None:
        filled |= asdict(report.image)
    if report.crop is not None:
        filled |= {f"crop_{name}": value for name, value in asdict(report.crop).items()}
    if report.model is not None:
        filled |= {f"model_{name}": value for name, value in asdict(report.model).items()}
    return {column.name: _cut(filled.get(column.name)) for column in COLUMNS}


def _evidence(report: Report) -> Mapping[str, Cell]:
    cells: dict[str, Cell] = {}
    others = []
    for evidence in report.evidence:
        source = evidence.source
        if source in SOURCES:
            cells[f"{source}_says"] = evidence.says.value
            cells[f"{source}_trust"] = evidence.trust.value
            cells[f"{source}_summary"] = evidence.summary
        elif group(evidence) is not Group.NOTHING:
            others.append(f"{source}: {evidence.says} ({evidence.trust}): {evidence.summary}")
    cells["other_evidence"] = _BETWEEN.join(others) or None
    return cells


def _cut(cell: Cell) -> Cell:
    if isinstance(cell, str) and len(cell) > MAX_TEXT:
        return f"{cell[:MAX_TEXT]}… [cut: {len(cell):,} characters]"
    return cell
