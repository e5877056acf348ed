from __future__ import annotations

import itertools

import numpy as np
import pytest

from fauxto.bundles.bundle import Domain, OperatingPoint
from fauxto.report import Basis, Evidence, Lean, Reason, Says, Trust, Verdict
from fauxto.verdict import combine, lean, pixel_verdict, unstable

REAL, AI, INCONCLUSIVE = Verdict.REAL, Verdict.AI, Verdict.INCONCLUSIVE
PIXELS, CREDENTIALS, DECLARED, CONFLICT = (
    Basis.PIXELS,
    Basis.CONTENT_CREDENTIALS,
    Basis.DECLARED_METADATA,
    Basis.CONFLICT,
)

DOMAIN = Domain(min_short_side=16, max_short_side=64)
POINT = OperatingPoint(real_below=0.2, ai_above=0.9, fpr=0.01, tpr=0.8, inconclusive=0.1)


@pytest.mark.parametrize(
    ("probability", "short_side", "verdict", "word"),
    [
        (0.0, 32, REAL, "pixels_real"),
        (0.2, 32, REAL, "pixels_real"),
        (0.2000001, 32, INCONCLUSIVE, "pixels_inconclusive"),
        (0.8999999, 32, INCONCLUSIVE, "pixels_inconclusive"),
        (0.9, 32, AI, "pixels_ai"),
        (1.0, 32, AI, "pixels_ai"),
        (0.99, 16, AI, "pixels_ai"),
        (0.99, 64, AI, "pixels_ai"),
        (0.99, 15, INCONCLUSIVE, "too_small"),
        (0.01, 1, INCONCLUSIVE, "too_small"),
        (0.99, 65, INCONCLUSIVE, "out_of_domain"),
        (0.01, 4000, INCONCLUSIVE, "out_of_domain"),
        (None, 32, INCONCLUSIVE, "model_error"),
        (None, 4, INCONCLUSIVE, "model_error"),
    ],
)
def test_pixels(probability: float | None, short_side: int, verdict: Verdict, word: str) -> None:
    found, reason = pixel_verdict(probability, short_side, None, DOMAIN, POINT)
    assert found is verdict
    assert reason.word == word


@pytest.mark.parametrize(("probability", "short_side"), [(0.0, 32), (0.5, 16), (1.0, 64)])
def test_a_kind_that_cannot_be_judged_gets_no_verdict(probability: float, short_side: int) -> None:
    found, reason = pixel_verdict(probability, short_side, "is noise", DOMAIN, POINT)
    assert found is INCONCLUSIVE
    assert str(reason) == "out_of_domain: the picture is noise; this model judges photograph-like pictures only."


@pytest.mark.parametrize(
    ("unlikeness", "word"),
    [
        (0.0, "pixels_ai"),
        (0.25, "pixels_ai"),
        (0.26, "unlike_learnt"),
        (1.0, "unlike_learnt"),
        (np.nan, "unlike_learnt"),
    ],
)
def test_a_picture_unlike_those_that_were_learnt_gets_no_verdict(unlikeness: float, word: str) -> None:
    domain = Domain(16, 64, max_unlikeness=0.25)
    found, reason = pixel_verdict(0.99, 32, None, domain, POINT, unlikeness)
    assert (found is AI, reason.word) == (word == "pixels_ai", word)
    assert pixel_verdict(0.99, 15, None, domain, POINT, 1.0)[1].word == "too_small"


def test_a_domain_of_one_size_is_said_as_one() -> None:
    _, reason = pixel_verdict(0.9, 33, None, Domain(min_short_side=32, max_short_side=32), POINT)
    assert reason.sentence.endswith("is 33 px; this model judges pictures of 32 px only.")
    assert pixel_verdict(0.9, 65, None, DOMAIN, POINT)[1].sentence.endswith("pictures of 16 to 64 px only.")


def test_without_an_inconclusive_band_the_threshold_itself_is_ai() -> None:
    point = OperatingPoint(real_below=0.5, ai_above=0.5, fpr=0, tpr=1, inconclusive=0)
    assert pixel_verdict(0.5, 32, None, DOMAIN, point)[0] is AI


def evidence(source: str, says: Says, trust: Trust, **details: str) -> Evidence:
    return Evidence(source, says, trust, f"{source} says {says}.", details)


SIGNED_AI = evidence("content_credentials", Says.AI, Trust.SIGNED, outcome="valid")
SIGNED_REAL = evidence("content_credentials", Says.REAL, Trust.SIGNED, outcome="valid")
DECLARED_AI = evidence("generator_metadata", Says.AI, Trust.DECLARED)
UNTRUSTED_AI = evidence("content_credentials", Says.AI, Trust.DECLARED, outcome="untrusted")
SIGNED_EDIT = evidence("content_credentials", Says.AI, Trust.SIGNED, outcome="trusted", kind="composite")
DECLARED_EDIT = evidence("generator_metadata", Says.AI, Trust.DECLARED, kind="composite")
TAMPERED = evidence("content_credentials", Says.NOTHING, Trust.INFERRED, outcome="tampered")
CAMERA_NOTES = evidence("camera_metadata", Says.REAL, Trust.DECLARED)
TRACES = evidence("compression", Says.AI, Trust.INFERRED)
NOTHING = evidence("content_credentials", Says.NOTHING, Trust.INFERRED, outcome="none")
TAMPERED_ELSEWHERE = evidence("generator_metadata", Says.NOTHING, Trust.INFERRED, outcome="tampered")

# What the file carries -> the outcome where the pixels say real, inconclusive, ai.
TABLE: list[tuple[tuple[Evidence, ...], list[tuple[Verdict, Basis]]]] = [
    ((), [(REAL, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
    ((NOTHING,), [(REAL, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
    ((CAMERA_NOTES,), [(REAL, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
    ((TRACES,), [(REAL, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
    ((SIGNED_AI,), [(AI, CREDENTIALS)] * 3),
    ((SIGNED_AI, CAMERA_NOTES), [(AI, CREDENTIALS)] * 3),
    ((SIGNED_AI, SIGNED_REAL), [(AI, CREDENTIALS)] * 3),
    ((SIGNED_AI, DECLARED_AI), [(AI, CREDENTIALS)] * 3),
    ((SIGNED_REAL,), [(REAL, CREDENTIALS), (REAL, CREDENTIALS), (INCONCLUSIVE, CONFLICT)]),
    ((SIGNED_REAL, CAMERA_NOTES), [(REAL, CREDENTIALS), (REAL, CREDENTIALS), (INCONCLUSIVE, CONFLICT)]),
    ((SIGNED_REAL, TRACES), [(REAL, CREDENTIALS), (REAL, CREDENTIALS), (INCONCLUSIVE, CONFLICT)]),
    ((SIGNED_REAL, DECLARED_AI), [(INCONCLUSIVE, CONFLICT)] * 3),
    ((DECLARED_AI,), [(INCONCLUSIVE, CONFLICT), (AI, DECLARED), (AI, DECLARED)]),
    ((UNTRUSTED_AI,), [(INCONCLUSIVE, CONFLICT), (AI, DECLARED), (AI, DECLARED)]),
    ((DECLARED_AI, CAMERA_NOTES), [(INCONCLUSIVE, CONFLICT), (AI, DECLARED), (AI, DECLARED)]),
    ((SIGNED_EDIT,), [(INCONCLUSIVE, CREDENTIALS), (INCONCLUSIVE, CREDENTIALS), (AI, CREDENTIALS)]),
    ((SIGNED_EDIT, SIGNED_AI), [(AI, CREDENTIALS)] * 3),
    ((SIGNED_EDIT, DECLARED_AI), [(INCONCLUSIVE, CREDENTIALS), (INCONCLUSIVE, CREDENTIALS), (AI, CREDENTIALS)]),
    ((SIGNED_REAL, DECLARED_EDIT), [(INCONCLUSIVE, CONFLICT)] * 3),
    ((DECLARED_EDIT,), [(INCONCLUSIVE, DECLARED), (INCONCLUSIVE, DECLARED), (AI, DECLARED)]),
    ((DECLARED_EDIT, DECLARED_AI), [(INCONCLUSIVE, CONFLICT), (AI, DECLARED), (AI, DECLARED)]),
    ((TAMPERED,), [(INCONCLUSIVE, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
    ((TAMPERED, CAMERA_NOTES), [(INCONCLUSIVE, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
    ((TAMPERED, DECLARED_AI), [(INCONCLUSIVE, CONFLICT), (AI, DECLARED), (AI, DECLARED)]),
    ((TAMPERED, SIGNED_REAL), [(INCONCLUSIVE, CREDENTIALS), (INCONCLUSIVE, CREDENTIALS), (INCONCLUSIVE, CONFLICT)]),
    ((TAMPERED, SIGNED_AI), [(AI, CREDENTIALS)] * 3),
    ((TAMPERED_ELSEWHERE,), [(REAL, PIXELS), (INCONCLUSIVE, PIXELS), (AI, PIXELS)]),
]
ROWS = [
    (carried, pixels, *outcome)
    for carried, outcomes in TABLE
    for pixels, outcome in zip((REAL, INCONCLUSIVE, AI), outcomes, strict=True)
]


@pytest.mark.parametrize(("carried", "pixels", "verdict", "basis"), ROWS)
def test_the_table(carried: tuple[Evidence, ...], pixels: Verdict, verdict: Verdict, basis: Basis) -> None:
    for order in itertools.permutations(carried):
        found_verdict, found_basis, reasons = combine(pixels, order)
        assert (found_verdict, found_basis) == (verdict, basis)
        # Whoever overrules the pixels says so.
        assert bool(reasons) == (basis is not PIXELS or TAMPERED in carried)


def test_reasons_quote_the_evidence_that_had_a_part() -> None:
    _, _, reasons = combine(AI, (CAMERA_NOTES, SIGNED_REAL, DECLARED_AI, TAMPERED))
    assert [reason.word for reason in reasons] == [
        "signed_real",
        "declared_ai",
        "conflict",
        "tampered_credential",
    ]
    assert str(reasons[1]) == "declared_ai: generator_metadata says ai."


def leaning(probability: float | None, *carried: Evidence, point: OperatingPoint = POINT, short_side: int = 32) -> Lean:
    pixels, reason = pixel_verdict(probability, short_side, None, DOMAIN, point)
    verdict, basis, _ = combine(pixels, carried)
    return lean(probability, reason, (verdict, basis), carried, point)


@pytest.mark.parametrize(
    ("probability", "leans"),
    [
        (0.1, Lean.NONE),  # a verdict leans nowhere
        (0.2, Lean.NONE),
        (0.2000001, Lean.REAL),
        (0.35, Lean.REAL),
        (0.3500001, Lean.NONE),
        (0.5, Lean.NONE),
        (0.6999999, Lean.NONE),
        (0.7, Lean.AI),
        (0.8999999, Lean.AI),
        (0.9, Lean.NONE),
        (None, Lean.NONE),
    ],
)
def test_pixels_lean_from_halfway_to_a_threshold(probability: float | None, leans: Lean) -> None:
    assert leaning(probability) is leans
    assert leaning(probability, NOTHING, CAMERA_NOTES, TRACES) is leans
    assert leaning(probability, short_side=15) is Lean.NONE


@pytest.mark.parametrize(
    "carried", [SIGNED_AI, SIGNED_REAL, SIGNED_EDIT, DECLARED_AI, UNTRUSTED_AI, DECLARED_EDIT, TAMPERED]
)
def test_nothing_leans_where_the_file_decides_or_was_tampered_with(carried: Evidence) -> None:
    assert {leaning(step / 100, carried) for step in range(101)} == {Lean.NONE}


def test_an_unstable_verdict_leans_nowhere() -> None:
    for verdict in (AI, REAL):
        assert lean(0.8, unstable(verdict), (INCONCLUSIVE, PIXELS), (), POINT) is Lean.NONE
    assert lean(0.8, Reason("pixels_inconclusive", ""), (INCONCLUSIVE, PIXELS), (), POINT) is Lean.AI


@pytest.mark.parametrize(("real_below", "ai_above"), [(0.1, 0.4), (0.6, 0.9), (0.5, 0.5), (0.45, 0.55)])
def test_a_lean_is_on_its_own_side_wherever_the_thresholds_are(real_below: float, ai_above: float) -> None:
    point = OperatingPoint(real_below=real_below, ai_above=ai_above, fpr=0, tpr=1, inconclusive=0)
    for step in range(101):
        leans = leaning(step / 100, point=point)
        assert leans is not Lean.AI or step >= 50
        assert leans is not Lean.REAL or step <= 50
