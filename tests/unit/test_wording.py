"""The words that a person reads never say more than the numbers do."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from fauxto import wording
from fauxto.report import Basis, Evidence, Lean, Reason, Report, Says, Status, Trust, Verdict
from fauxto.wording import Group


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.0, "under 0.1 %"),
        (0.00099, "under 0.1 %"),
        (0.0051, "0.5 %"),
        (0.01, "1 %"),
        (0.5, "50 %"),
        (0.97, "97 %"),
        (0.9951, "99.5 %"),
        (0.9991, "over 99.9 %"),
        (1.0, "over 99.9 %"),
    ],
)
def test_a_probability_never_claims_certainty(probability: float, words: str) -> None:
    assert wording.percent(probability) == words


@pytest.mark.parametrize(
    ("text", "word", "sentence"),
    [
        ("too_small: the picture's short side is 9 px", "too_small", "The picture's short side is 9 px."),
        ("animated: The first of 3 frames.", "animated", "The first of 3 frames."),
        ("C: drive is full", "", "C: drive is full"),
        ("see: here", "see", "Here."),
        ("no word in front", "", "no word in front"),
    ],
)
def test_a_reason_loses_its_stable_word(text: str, word: str, sentence: str) -> None:
    reason = Reason.parse(text)
    assert (reason.word, wording.as_sentence(reason)) == (word, sentence)
    assert str(reason) == text


@pytest.mark.parametrize(
    ("reasons", "in_domain"),
    [
        ((), True),
        (("animated: The first of 3 frames.", "pixels_ai: Much."), True),
        (("animated: The first of 3 frames.", "out_of_domain: Too big."), False),
        (("too_small: Too small.",), False),
        (("model_error: No number.",), False),
    ],
)
def test_which_probabilities_count(reasons: tuple[str, ...], in_domain: bool) -> None:
    parsed = tuple(map(Reason.parse, reasons))
    report = Report("x", Status.OK, Verdict.INCONCLUSIVE, probability=0.5, reasons=parsed)
    assert wording.is_in_domain(report) is in_domain


def test_every_verdict_and_none_have_words_of_their_own() -> None:
    reports = [Report("x", Status.OK, verdict) for verdict in Verdict] + [Report("x", Status.TRUNCATED)]
    assert len({wording.finding(report).headline for report in reports}) == 4


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (("pixels_inconclusive: In between.",), "a photograph or of a generated picture"),
        (("unstable: No longer so.", "animated: Two pictures."), "verdict changed"),
        (("out_of_domain: A drawing.",), "wasn't made for pictures like this"),
        (("too_small: 9 px.",), "wasn't made for pictures like this"),
        (("tampered_credential: It doesn't fit.",), "may be a photograph or generated"),
    ],
)
def test_doubt_says_where_it_comes_from(reasons: tuple[str, ...], words: str) -> None:
    parsed = tuple(map(Reason.parse, reasons))
    report = Report("x", Status.OK, Verdict.INCONCLUSIVE, Basis.PIXELS, reasons=parsed)
    meaning = wording.finding(report).meaning
    assert words in meaning
    assert "says nothing either way" in meaning


def test_reasons_that_tell_more_than_the_scale() -> None:
    reasons = (
        Reason("declared_ai", "the file declares it."),
        Reason("pixels_ai", "the probability of AI is 0.9."),
        Reason("animated", "two frames."),
    )
    report = Report("x", Status.OK, Verdict.AI, reasons=reasons)
    assert wording.telling_reasons(report) == ["The file declares it.", "Two frames."]


@pytest.mark.parametrize("verdict", Verdict)
def test_only_a_verdict_from_the_pixels_speaks_of_what_they_look_like(verdict: Verdict) -> None:
    meanings = {basis: wording.finding(Report("x", Status.OK, verdict, basis)).meaning for basis in Basis}
    assert ("Its pixels look like" in meanings[Basis.PIXELS]) == (verdict is not Verdict.INCONCLUSIVE)
    if verdict is Verdict.INCONCLUSIVE:
        assert "contradicts" in meanings[Basis.CONFLICT]
    else:
        assert "signed content credentials" in meanings[Basis.CONTENT_CREDENTIALS]
    if verdict is Verdict.AI:
        assert "metadata says so" in meanings[Basis.DECLARED_METADATA]


@pytest.mark.parametrize(("lean", "beside"), [(Lean.AI, "leans generated"), (Lean.REAL, "leans photograph")])
def test_a_lean_stands_beside_the_headline_and_is_no_verdict(lean: Lean, beside: str) -> None:
    reasons = (Reason("pixels_inconclusive", "in between."),)
    report = Report("x", Status.OK, Verdict.INCONCLUSIVE, Basis.PIXELS, reasons=reasons, lean=lean)
    finding = wording.finding(report)
    assert finding.headline == "Can't tell"
    assert finding.lean == f"{beside}; not enough to say so"
    assert "no verdict" in finding.meaning
    assert wording.finding(replace(report, lean=Lean.NONE)).lean == ""


OUTCOMES = ("trusted", "untrusted", "expired", "not_validated", "tampered", "elsewhere", "unreadable")


@pytest.mark.parametrize(
    ("source", "says", "details", "group"),
    [
        *[("content_credentials", Says.NOTHING, {"outcome": outcome}, Group.FOUND) for outcome in OUTCOMES],
        ("content_credentials", Says.NOTHING, {"outcome": "none"}, Group.NOTHING),
        ("content_credentials", Says.AI, {"outcome": "untrusted"}, Group.SAYS),
        ("generator_metadata", Says.AI, {"kind": "generated"}, Group.SAYS),
        ("generator_metadata", Says.NOTHING, {}, Group.NOTHING),
        ("generator_metadata", Says.NOTHING, {"declarations": [{}]}, Group.FOUND),
        ("generator_metadata", Says.NOTHING, {"unreadable": "the EXIF is cut"}, Group.FOUND),
        ("camera_metadata", Says.NOTHING, {}, Group.NOTHING),
        ("camera_metadata", Says.NOTHING, {"make": "Canon"}, Group.FOUND),
        ("camera_metadata", Says.NOTHING, {"software": ["GIMP"]}, Group.FOUND),
        ("compression", Says.NOTHING, {"format": "JPEG", "quality": 90}, Group.NOTHING),
        ("compression", Says.NOTHING, {"format": "JPEG", "found": True}, Group.FOUND),
        ("watermarks", Says.NOTHING, {"found": False, "threshold": 6.0}, Group.NOTHING),
        ("plug_in", Says.REAL, {}, Group.SAYS),
        ("plug_in", Says.NOTHING, {"entries": 3}, Group.NOTHING),
        ("plug_in", Says.NOTHING, {"found": True}, Group.FOUND),
        ("plug_in", Says.NOTHING, {"unreadable": "the source failed"}, Group.FOUND),
    ],
)
def test_evidence_has_one_of_three_groups(source: str, says: Says, details: dict[str, object], group: Group) -> None:
    evidence = Evidence(source, says, Trust.DECLARED, "A sentence.", details)
    assert wording.group(evidence) is group
    assert wording.grouped([evidence]) == {title: [evidence] if title is group else [] for title in Group}


def test_a_tampered_credential_comes_first_of_its_group() -> None:
    camera = Evidence("camera_metadata", Says.NOTHING, Trust.DECLARED, "A camera.", {"make": "Canon"})
    tampered = Evidence("content_credentials", Says.NOTHING, Trust.DECLARED, "Changed.", {"outcome": "tampered"})
    assert wording.grouped([camera, tampered])[Group.FOUND] == [tampered, camera]


def test_the_extension_knows_the_same_words_for_what_is_out_of_domain() -> None:
    script = (Path(__file__).parents[2] / "extension" / "words.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^const OUTSIDE = (\[.*\]);$", script, re.MULTILINE)
    assert set(json.loads(listed)) == wording._OUTSIDE_DOMAIN
