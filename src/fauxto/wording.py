"""A `Report` in plain words, for someone who has never heard of a logit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fauxto.report import Report, Verdict

_OUTSIDE_DOMAIN = frozenset({"too_small", "out_of_domain", "model_error"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict for a person: a headline, and a sentence on what it means."""

    headline: str
    meaning: str


_FINDINGS: Mapping[Verdict | None, Finding] = {
    Verdict.AI: Finding(
        "Probably made by a generative model",
        "Its pixels look like those of generated pictures. That is likelihood, not proof.",
    ),
    Verdict.REAL: Finding(
        "Probably a photograph",
        "Its pixels look like those of photographs. That is likelihood, not proof.",
    ),
    Verdict.INCONCLUSIVE: Finding(
        "Can't tell",
        "This is no finding either way: it speaks neither for a photograph nor against one.",
    ),
    None: Finding(
        "This file could not be judged",
        "No picture could be read from it, so there is no verdict.",
    ),
}


def finding(report: Report) -> Finding:
    """Return the plain words for a report's verdict, or for its absence."""
    return _FINDINGS[report.verdict]


def split_reason(reason: str) -> tuple[str, str]:
    """Split a reason into its stable word ("" if it has none) and its sentence."""
    word, colon, rest = reason.partition(": ")
    if not colon or not word.isidentifier() or not word.islower():
        return "", reason
    return word, rest[:1].upper() + rest[1:] + ("" if rest.endswith((".", "!", "?")) else ".")


def is_in_domain(report: Report) -> bool:
    """Tell whether the model speaks for a picture of this kind, so that its probability counts."""
    return not any(split_reason(reason)[0] in _OUTSIDE_DOMAIN for reason in report.reasons)


def percent(probability: float) -> str:
    """Return a probability in words that never claim certainty ("97 %", "over 99.9 %", "under 0.1 %")."""
    if probability > 0.999:
        return "over 99.9 %"
    if probability < 0.001:
        return "under 0.1 %"
    digits = 0 if 0.01 <= probability <= 0.99 else 1
    return f"{100 * probability:.{digits}f} %"


def share_of_photographs(fpr_at_score: float) -> str:
    """Return how many of 100, 1,000 or 10,000 known photographs score at least this high, in a sentence."""
    for of in (100, 1_000, 10_000):
        if fpr_at_score * of >= 1:
            count = round(fpr_at_score * of)
            return f"Of {of:,} real photographs, about {count:,} score{'s' if count == 1 else ''} this high."
    return "Of 10,000 real photographs, fewer than one is expected to score this high."
