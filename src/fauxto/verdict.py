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
means that all such evidence says that a model made only parts of the picture (`"kind": "composite"`). Beside a
tampered credential no verdict is real, whatever else there is: it becomes inconclusive, with a warning. Nothing
found is never evidence of a photograph, and nothing that a file carries changes its pixel score.
docs/explanation/verdict.md says why.
"""

from __future__ import annotations

from fauxto.bundles.bundle import Domain, OperatingPoint
from fauxto.report import Basis, Evidence, Says, Trust, Verdict


def pixel_verdict(
    probability: float | None, short_side: int, objection: str | None, domain: Domain, point: OperatingPoint
) -> tuple[Verdict, str]:
    """Say what the pixels alone make of a picture.

    Args:
        probability: Calibrated P(AI) in [0, 1]; None where the network gave no finite number.
        short_side: Of the picture as decoded, in pixels.
        objection: Why its kind can't be judged, whatever its size (`fauxto.domain.objection`); None if it can.
        domain: The sizes that the network may judge.
        point: The thresholds.

    Returns:
        The verdict and the one reason for it.
    """
    if probability is None:
        return Verdict.INCONCLUSIVE, "model_error: the network gave no finite number for this picture."
    if short_side < domain.min_short_side:
        return Verdict.INCONCLUSIVE, (
            f"too_small: the picture's short side is {short_side} px; "
            f"this model needs {domain.min_short_side} px or more."
        )
    if short_side > domain.max_short_side:
        return Verdict.INCONCLUSIVE, (
            f"out_of_domain: the picture's short side is {short_side} px; "
            f"this model judges pictures of {domain.short_sides} only."
        )
    if objection is not None:
        return (
            Verdict.INCONCLUSIVE,
            f"out_of_domain: the picture {objection}; this model judges photograph-like pictures only.",
        )
    said = f"the probability of AI is {probability:.4f}:"
    verdict = point.verdict(probability)
    if verdict is Verdict.AI:
        return verdict, f"pixels_ai: {said} {point.ai_above:g} and more counts as AI."
    if verdict is Verdict.REAL:
        return verdict, f"pixels_real: {said} {point.real_below:g} and less counts as a photograph."
    return verdict, (
        f"pixels_inconclusive: {said} from {point.real_below:g} to {point.ai_above:g} neither is sure enough."
    )


def unstable(said: Verdict) -> str:
    """Return the reason why a verdict that a mild re-encoding changes is none."""
    return f"unstable: the pixels say {said}, but no longer so once the picture is shrunk and saved again."


def combine(pixels: Verdict, evidence: tuple[Evidence, ...]) -> tuple[Verdict, Basis, tuple[str, ...]]:
    """Combine the pixels' verdict with the evidence by the table above.

    "Signed" is evidence of trust `signed`, "declared" evidence of trust `declared`. A tampered credential is
    evidence of the source "content_credentials" whose details say `"outcome": "tampered"`.

    Returns:
        The verdict, what it rests on, and a reason for each piece of evidence that had a part in it.
    """
    verdict, basis, reasons = _untampered(pixels, evidence)
    if not any(_is_tampered(one) for one in evidence):
        return verdict, basis, reasons
    warning = "tampered_credential: the file's content credential doesn't fit the picture: one of them was changed."
    return (Verdict.INCONCLUSIVE if verdict is Verdict.REAL else verdict), basis, (*reasons, warning)


def _untampered(pixels: Verdict, evidence: tuple[Evidence, ...]) -> tuple[Verdict, Basis, tuple[str, ...]]:
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
    kinds = {one.details.get("kind") for one in evidence if one.trust is trust and one.says is Says.AI}
    only_edited = kinds == {"composite"}
    return Verdict.INCONCLUSIVE if only_edited and pixels is not Verdict.AI else Verdict.AI


def _summaries(evidence: tuple[Evidence, ...], trust: Trust, says: Says) -> tuple[str, ...]:
    return tuple(f"{trust}_{says}: {one.summary}" for one in evidence if one.trust is trust and one.says is says)


def _conflict(pixels: Verdict) -> str:
    return f"conflict: what the file carries contradicts itself or the pixels, which say {pixels}."


def _is_tampered(one: Evidence) -> bool:
    return one.source == "content_credentials" and one.details.get("outcome") == "tampered"
