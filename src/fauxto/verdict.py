"""The verdict rule: what the pixels say and what the file carries, combined into one verdict.

| what the file carries                       | what the pixels say  | verdict      | basis               |
|---------------------------------------------|----------------------|--------------|---------------------|
| signed: AI                                  | anything             | ai           | content credentials |
| signed: edited with AI                      | ai                   | ai           | content credentials |
| signed: edited with AI                      | real or inconclusive | inconclusive | content credentials |
| signed: camera                              | real or inconclusive | real         | content credentials |
| signed: camera                              | ai                   | inconclusive | conflict            |
| signed: camera, and declared: AI            | anything             | inconclusive | conflict            |
| declared: AI                                | ai or inconclusive   | ai           | declared metadata   |
| declared: AI                                | real                 | inconclusive | conflict            |
| declared: edited with AI                    | ai                   | ai           | declared metadata   |
| declared: edited with AI                    | real or inconclusive | inconclusive | declared metadata   |
| nothing, or what anyone can write of itself | as calibrated        | as they say  | pixels              |

"Signed" is a signature that verifies and whose signer is trusted; "declared" is a note without one; "edited with AI"
means that all such evidence says that a model made only parts of the picture (`"kind": "composite"`). With a
tampered credential no verdict is real: it becomes inconclusive, with a warning. Missing evidence is never evidence of
a photograph, and no evidence changes the pixel score. Pixels between the thresholds may lean (`lean`), which is no
verdict.
docs/explanation/verdict.md says why.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fauxto.bundles.bundle import Domain, OperatingPoint
from fauxto.report import Basis, Evidence, Lean, Reason, Says, Trust, Verdict


def pixel_verdict(
    probability: float | None,
    short_side: int,
    objection: str | None,
    domain: Domain,
    point: OperatingPoint,
    unlikeness: float = 0.0,
) -> tuple[Verdict, Reason]:
    """Return the verdict of the pixels alone.

    Args:
        probability: Calibrated P(AI) in [0, 1]; None where the network gave no finite number.
        short_side: Of the decoded picture, in pixels.
        objection: Why the picture is out of domain, whatever its size (`fauxto.domain.objection`), or None.
        domain: The sizes that the network accepts, and the unlikeness.
        point: The thresholds.
        unlikeness: How unlike those that the network learnt the picture is, in [0, 1]; NaN is too unlike.

    Returns:
        The verdict and the one reason for it.
    """
    if probability is None:
        return Verdict.INCONCLUSIVE, Reason("model_error", "the network gave no finite number for this picture.")
    if reason := outside(short_side, objection, domain, unlikeness):
        return Verdict.INCONCLUSIVE, reason
    verdict = point.verdict(probability)
    meaning = {
        Verdict.AI: f"{point.ai_above:g} or more counts as AI.",
        Verdict.REAL: f"{point.real_below:g} or less counts as a photograph.",
        Verdict.INCONCLUSIVE: f"between {point.real_below:g} and {point.ai_above:g} is inconclusive.",
    }
    return verdict, Reason(f"pixels_{verdict}", f"the probability of AI is {probability:.4f}: {meaning[verdict]}")


def outside(short_side: int, objection: str | None, domain: Domain, unlikeness: float) -> Reason | None:
    """Return why a picture lies outside the domain of a network, or None."""
    if short_side < domain.min_short_side:
        needed = f"this model needs {domain.min_short_side} px or more."
        return Reason("too_small", f"the picture's short side is {short_side} px; {needed}")
    if short_side > domain.max_short_side:
        judged = f"this model judges pictures of {domain.short_sides} only."
        return Reason("out_of_domain", f"the picture's short side is {short_side} px; {judged}")
    if objection is not None:
        return Reason("out_of_domain", f"the picture {objection}; this model judges photograph-like pictures only.")
    if domain.unlike(np.array(unlikeness)):
        return Reason(
            "unlike_learnt", "the picture is unlike those that this model learnt, and of others it knows little."
        )
    return None


def unstable(verdict: Verdict) -> Reason:
    """Return the reason for a verdict that a mild re-encoding changes."""
    return Reason("unstable", f"the pixels say {verdict}, but that changed when we shrank and re-saved the picture.")


def lean(
    probability: float | None,
    reason: Reason,
    combined: tuple[Verdict, Basis],
    evidence: tuple[Evidence, ...],
    point: OperatingPoint,
) -> Lean:
    """Return where pixels lean that get no verdict: from halfway between 0.5 and a threshold on, to that side.

    They lean only where the probability alone left the verdict open: in domain, stable, and with nothing in the file
    that decides, contradicts or was tampered with.

    Args:
        probability: Calibrated P(AI) in [0, 1], or None.
        reason: The one for the pixels' verdict.
        combined: Verdict and basis, by `combine`.
        evidence: What the file carries.
        point: The thresholds.
    """
    is_open = reason.word == "pixels_inconclusive" and combined == (Verdict.INCONCLUSIVE, Basis.PIXELS)
    if probability is None or not is_open or any(piece.is_tampered for piece in evidence):
        return Lean.NONE
    return leaning(probability, point)


def leaning(probability: float, point: OperatingPoint) -> Lean:
    """Return where a probability between the thresholds leans, if it is closer to one of them than to 0.5."""
    if probability >= (0.5 + point.ai_above) / 2:
        return Lean.AI
    return Lean.REAL if probability <= (0.5 + point.real_below) / 2 else Lean.NONE


def likeliest_family(
    families: Mapping[str, float | None], probabilities: NDArray[np.float64]
) -> tuple[str, float] | None:
    """Return the family of generators whose pictures a picture looks most like, where the network is sure enough.

    Args:
        families: The bundle's: from which probability each is named.
        probabilities: float64 [F], of each of them, were the picture AI.

    Returns:
        Its name and its probability.
    """
    if not families or not np.isfinite(probabilities).all():
        return None
    name = list(families)[best := int(probabilities.argmax())]
    least, probability = families[name], float(probabilities[best])
    return None if least is None or probability < least else (name, probability)


def looks_most_like(family: str, probability: float) -> Reason:
    """Return the reason that names a family of generators."""
    return Reason("looks_most_like", f"among generators, it looks most like {family} ({100 * probability:.0f} %).")


def combine(pixels: Verdict, evidence: tuple[Evidence, ...]) -> tuple[Verdict, Basis, tuple[Reason, ...]]:
    """Combine the pixels' verdict with the evidence by the table above.

    "Signed" is evidence of trust `signed`, "declared" evidence of trust `declared`.

    Returns:
        The verdict, its basis, and a reason for each piece of evidence that contributed.
    """
    verdict, basis, reasons = _untampered(pixels, evidence)
    if not any(piece.is_tampered for piece in evidence):
        return verdict, basis, reasons
    warning = Reason(
        "tampered_credential", "the file's content credentials don't match the picture: one of them was changed."
    )
    return (Verdict.INCONCLUSIVE if verdict is Verdict.REAL else verdict), basis, (*reasons, warning)


def _untampered(pixels: Verdict, evidence: tuple[Evidence, ...]) -> tuple[Verdict, Basis, tuple[Reason, ...]]:
    signed_ai = _summaries(evidence, Trust.SIGNED, Says.AI)
    signed_real = _summaries(evidence, Trust.SIGNED, Says.REAL)
    declared_ai = _summaries(evidence, Trust.DECLARED, Says.AI)
    if signed_ai:
        return _made_or_edited(pixels, evidence, Trust.SIGNED), Basis.CONTENT_CREDENTIALS, signed_ai
    if signed_real and (declared_ai or pixels is Verdict.AI):
        return Verdict.INCONCLUSIVE, Basis.CONFLICT, (*signed_real, *declared_ai, _conflict(pixels))
    if signed_real:
        return Verdict.REAL, Basis.CONTENT_CREDENTIALS, signed_real
    if not declared_ai:
        return pixels, Basis.PIXELS, ()
    declared = _made_or_edited(pixels, evidence, Trust.DECLARED)
    if declared is Verdict.AI and pixels is Verdict.REAL:
        return Verdict.INCONCLUSIVE, Basis.CONFLICT, (*declared_ai, _conflict(pixels))
    return declared, Basis.DECLARED_METADATA, declared_ai


def _made_or_edited(pixels: Verdict, evidence: tuple[Evidence, ...], trust: Trust) -> Verdict:
    only_edited = all(piece.is_composite for piece in evidence if piece.trust is trust and piece.says is Says.AI)
    return Verdict.INCONCLUSIVE if only_edited and pixels is not Verdict.AI else Verdict.AI


def _summaries(evidence: tuple[Evidence, ...], trust: Trust, says: Says) -> tuple[Reason, ...]:
    return tuple(
        Reason(f"{trust}_{says}", piece.summary) for piece in evidence if piece.trust is trust and piece.says is says
    )


def _conflict(pixels: Verdict) -> Reason:
    return Reason("conflict", f"the evidence in the file contradicts itself or the pixels, which say {pixels}.")
