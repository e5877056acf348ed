"""A `Report` in plain words, for people who have never heard of a logit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fauxto.report import Basis, Evidence, Lean, Reason, Report, Says, Trust, Verdict

_OUTSIDE_DOMAIN = frozenset({"too_small", "out_of_domain", "unlike_learnt", "model_error"})
_ON_THE_SCALE = frozenset({"pixels_ai", "pixels_real", "pixels_inconclusive"})


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict in words: a headline, a sentence on its meaning, and what stands beside "Can't tell" where it leans."""

    headline: str
    meaning: str
    lean: str = ""


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
        "This says nothing either way: the picture may be a photograph or generated.",
    ),
    None: Finding(
        "This file could not be judged",
        "No picture could be read from it, so there is no verdict.",
    ),
}


_OTHER_MEANINGS: Mapping[tuple[Verdict | None, Basis | None], str] = {
    (
        Verdict.AI,
        Basis.CONTENT_CREDENTIALS,
    ): "The file has signed content credentials that say a generative model made it.",
    (Verdict.REAL, Basis.CONTENT_CREDENTIALS): "The file has signed content credentials that say a camera took it.",
    (Verdict.AI, Basis.DECLARED_METADATA): "The file's metadata says so. Anyone can write or remove metadata.",
    (Verdict.INCONCLUSIVE, Basis.CONFLICT): "The evidence in the file contradicts itself or the pixels.",
}

_NOT_MODELLED = "The model wasn't made for pictures like this one, so this says nothing either way."
_UNDECIDED: Mapping[str, str] = {
    "pixels_inconclusive": (
        "Its pixels could be those of a photograph or of a generated picture. This says nothing either way."
    ),
    "unstable": "The verdict changed when we shrank and re-saved the picture, so it says nothing either way.",
    **dict.fromkeys(_OUTSIDE_DOMAIN, _NOT_MODELLED),
}
"""Why the pixels alone are inconclusive, by the word of the reason."""

SHORT_OF_A_VERDICT = frozenset(_UNDECIDED) - _ON_THE_SCALE
"""Words of reasons why there is no verdict, other than that the probability is between the thresholds."""

_LEANING: Mapping[Lean, tuple[str, str]] = {
    Lean.AI: ("leans generated; not enough to say so", "generated pictures than of photographs"),
    Lean.REAL: ("leans photograph; not enough to say so", "photographs than of generated pictures"),
}

SAYS: Mapping[Says, str] = {
    Says.AI: "made or edited by a generative model",
    Says.REAL: "a photograph",
    Says.NOTHING: "nothing about how the picture was made",
}
"""What a source of evidence says about a picture."""

TRUST: Mapping[Trust, str] = {
    Trust.SIGNED: "signed by a trusted signer",
    Trust.DECLARED: "declared, not proven",
    Trust.INFERRED: "inferred from traces",
}
"""How far it can be trusted."""

SYMBOLS: Mapping[Verdict | None, str] = {
    Verdict.AI: "▲",
    Verdict.REAL: "●",
    Verdict.INCONCLUSIVE: "?",
    None: "✕",
}
"""A symbol for each verdict, so that nothing depends on colour alone."""


class Group(StrEnum):
    """The groups of evidence, by their titles, in the order in which every place shows them."""

    SAYS = "Says how the picture was made"
    FOUND = "Found, and worth knowing"
    NOTHING = "Looked for, nothing found"


def group(evidence: Evidence) -> Group:
    """Return the group of a piece of evidence.

    A source that says nothing has found something worth knowing if its details have `found` or `unreadable`, as those
    of any source may. Of the built-in ones, credentials and metadata have details only where there is some.
    """
    details = evidence.details
    if evidence.says is not Says.NOTHING:
        return Group.SAYS
    is_found = bool(details.get("found") or details.get("unreadable") or evidence.is_credential)
    if evidence.source in ("generator_metadata", "camera_metadata"):
        is_found = is_found or bool(details)
    return Group.FOUND if is_found else Group.NOTHING


def grouped(evidence: Iterable[Evidence]) -> dict[Group, list[Evidence]]:
    """Sort evidence into all its groups, a tampered credential before the rest of its own."""
    groups: dict[Group, list[Evidence]] = {title: [] for title in Group}
    for piece in sorted(evidence, key=lambda piece: not piece.is_tampered):
        groups[group(piece)].append(piece)
    return groups


def finding(report: Report) -> Finding:
    """Return the words for a report's verdict and basis, or for a missing verdict."""
    plain = _FINDINGS[report.verdict]
    meaning = _OTHER_MEANINGS.get((report.verdict, report.basis), plain.meaning)
    if (report.verdict, report.basis) == (Verdict.INCONCLUSIVE, Basis.PIXELS):
        words = (reason.word for reason in report.reasons)
        meaning = next((_UNDECIDED[word] for word in words if word in _UNDECIDED), meaning)
    if report.lean is Lean.NONE:
        return Finding(plain.headline, meaning)
    lean, likeness = _LEANING[report.lean]
    return Finding(plain.headline, f"Its pixels look more like those of {likeness}, but that is no verdict.", lean)


def printable(text: str) -> str:
    """Return `text` with non-printable characters (controls, line breaks, bidi marks) escaped.

    No text from a file or bundle may control the terminal or page that shows it.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def passed_over(count: int) -> str:
    """Return how many system files were passed over, in words."""
    files, were = ("file", "was") if count == 1 else ("files", "were")
    return f"{count:,} {files} that macOS and Windows keep for themselves {were} passed over"


def as_sentence(reason: Reason) -> str:
    """Return a reason as a whole sentence, without its word."""
    sentence = reason.sentence
    if not reason.word:
        return sentence
    return sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith((".", "!", "?")) else ".")


def telling_reasons(report: Report) -> list[str]:
    """Return a report's reasons as sentences, without those that the scale already shows."""
    return [as_sentence(reason) for reason in report.reasons if reason.word not in _ON_THE_SCALE]


def is_in_domain(report: Report) -> bool:
    """Tell whether the picture is in the model's domain, so that its probability counts."""
    return not any(reason.word in _OUTSIDE_DOMAIN for reason in report.reasons)


def percent(probability: float) -> str:
    """Format a probability without ever claiming certainty ("97 %", "over 99.9 %", "under 0.1 %")."""
    if probability > 0.999:
        return "over 99.9 %"
    if probability < 0.001:
        return "under 0.1 %"
    digits = 0 if 0.01 <= probability <= 0.99 else 1
    return f"{100 * probability:.{digits}f} %"
