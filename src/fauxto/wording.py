"""A `Report` in plain words, for someone who has never heard of a logit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fauxto.report import Basis, Reason, Report, Says, Trust, Verdict

_OUTSIDE_DOMAIN = frozenset({"too_small", "out_of_domain", "model_error"})
_ON_THE_SCALE = frozenset({"pixels_ai", "pixels_real", "pixels_inconclusive"})


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


_OTHER_MEANINGS: Mapping[tuple[Verdict | None, Basis | None], str] = {
    (Verdict.AI, Basis.CONTENT_CREDENTIALS): "The file carries a signed statement that a generative model made it.",
    (Verdict.REAL, Basis.CONTENT_CREDENTIALS): "The file carries a signed statement that a camera took it.",
    (Verdict.AI, Basis.DECLARED_METADATA): "A note in the file says so. Anyone can write such a note, or remove it.",
    (Verdict.INCONCLUSIVE, Basis.CONFLICT): "What the file carries contradicts itself or what its pixels look like.",
}

_NOT_MODELLED = "The model doesn't speak for pictures like this one. That is no finding either way."
_UNDECIDED: Mapping[str, str] = {
    "pixels_inconclusive": (
        "Its pixels look like those of photographs and of generated pictures alike. That is no finding either way."
    ),
    "unstable": "What its pixels say doesn't outlast saving it once more. That is no finding either way.",
    **dict.fromkeys(_OUTSIDE_DOMAIN, _NOT_MODELLED),
}
"""Why the pixels alone decide nothing, by the word of the reason."""

SAYS: Mapping[Says, str] = {
    Says.AI: "made or edited by a generative model",
    Says.REAL: "a photograph",
    Says.NOTHING: "nothing about how the picture was made",
}
"""What a source of evidence says of a picture."""

TRUST: Mapping[Trust, str] = {
    Trust.SIGNED: "signed by a trusted signer",
    Trust.DECLARED: "declared, as anyone could",
    Trust.INFERRED: "inferred from traces",
}
"""How far it can be trusted."""

SYMBOLS: Mapping[Verdict | None, str] = {
    Verdict.AI: "▲",
    Verdict.REAL: "●",
    Verdict.INCONCLUSIVE: "?",
    None: "✕",
}
"""A sign for each verdict, which says to those who don't see its colour what the colour says."""


def finding(report: Report) -> Finding:
    """Return the plain words for a report's verdict and what it rests on, or for the absence of a verdict."""
    plain = _FINDINGS[report.verdict]
    meaning = _OTHER_MEANINGS.get((report.verdict, report.basis), plain.meaning)
    if (report.verdict, report.basis) == (Verdict.INCONCLUSIVE, Basis.PIXELS):
        words = (reason.word for reason in report.reasons)
        meaning = next((_UNDECIDED[word] for word in words if word in _UNDECIDED), meaning)
    return Finding(plain.headline, meaning)


def printable(text: str) -> str:
    """Return `text` with what isn't printable (controls, line ends, changes of direction) escaped.

    No text from a file or a bundle may steer the terminal or the page that shows it.
    """
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode("ascii") for sign in text)


def as_sentence(reason: Reason) -> str:
    """Return a reason as a whole sentence, without its word."""
    sentence = reason.sentence
    if not reason.word:
        return sentence
    return sentence[:1].upper() + sentence[1:] + ("" if sentence.endswith((".", "!", "?")) else ".")


def telling_reasons(report: Report) -> list[str]:
    """Return a report's reasons in sentences, but for what a scale with its thresholds shows already."""
    return [as_sentence(reason) for reason in report.reasons if reason.word not in _ON_THE_SCALE]


def is_in_domain(report: Report) -> bool:
    """Tell whether the model speaks for a picture of this kind, so that its probability counts."""
    return not any(reason.word in _OUTSIDE_DOMAIN for reason in report.reasons)


def percent(probability: float) -> str:
    """Return a probability in words that never claim certainty ("97 %", "over 99.9 %", "under 0.1 %")."""
    if probability > 0.999:
        return "over 99.9 %"
    if probability < 0.001:
        return "under 0.1 %"
    digits = 0 if 0.01 <= probability <= 0.99 else 1
    return f"{100 * probability:.{digits}f} %"
