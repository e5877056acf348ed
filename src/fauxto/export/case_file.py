"""The case file of one picture: the content of a report, assembled once and drawn as HTML or PDF."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from fauxto import error_rates, wording
from fauxto.addresses import file_name, is_address
from fauxto.bundles import Bundle
from fauxto.evidence import title
from fauxto.evidence.listing import FileMetadata
from fauxto.explain import Explanation
from fauxto.export import record
from fauxto.export.record import Case
from fauxto.export.text import MAX_NAME, shown
from fauxto.export.thumbnails import Thumbnail, fit, thumbnail
from fauxto.inside import judged_part, marked
from fauxto.report import Evidence, Report, Says, Trust, Verdict
from fauxto.wording import Group

_MAX_DATA = 20_000
_PICTURE_SIDE = 960  # pixels

LIMITS = (
    "A verdict is likelihood, not proof: some photographs are mistaken for generated pictures and some generated "
    "pictures for photographs, especially those of generators that the model has never seen.",
    "It doesn't say whether a photograph was retouched, staged or taken out of context, who made a picture, or why.",
    "A file without traces of a generator proves nothing: most files lose them when they are shared.",
    "Never base a decision that could harm someone on it alone.",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The probability on a scale from photograph to generated; `counts` is False if the picture is out of domain."""

    probability: float
    real_below: float
    ai_above: float
    counts: bool

    @property
    def words(self) -> str:
        """The scale in words, for screen readers."""
        return (
            f"{wording.percent(self.probability)} on a scale from photograph (0 %) to generated (100 %); "
            f"from {_share(self.real_below)} to {_share(self.ai_above)} is inconclusive"
        )

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The names of its three parts, each with where it ends or begins ("" in the middle)."""
        return (
            ("photograph", f"up to {_share(self.real_below)}"),
            ("can't tell", ""),
            ("generated", f"from {_share(self.ai_above)}"),
        )


@dataclass(frozen=True, slots=True)
class Card:
    """What one source of evidence found; every text is printable and bounded, `worth` is "" if it found nothing."""

    group: Group
    is_alarm: bool
    source: str
    says: Says
    trust: Trust
    worth: str
    summary: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All that a report on one picture shows; every text is printable and bounded, none is escaped for HTML.

    Attributes:
        name: Of the file, without its folders.
        case: Names and values of the case that the examiner gave.
        notes: The examiner's, line by line.
        time: Of the report, with its time zone.
        picture: Re-encoded from the decoded pixels, dimmed around the part that was judged; None if it couldn't be
            decoded.
        overlay: That part in grey with the explanation's map over it; None unless the map passed its test.
        verdict: None where the picture couldn't be judged.
        finding: The verdict in words.
        scale: None where there is no probability.
        probability: Sentences on it; "" where there is none.
        reasons: Sentences.
        evidence: A card per source, group by group (`fauxto.wording.grouped`).
        map: Sentences on the explanation's map, or on why there is none to show; "" without an explanation.
        method: How the verdict came about, in sentences.
        limits: What it doesn't say.
        facts: Names and values that identify the file, the model and this report.
        data: The report as JSON.
        metadata: What the file's metadata states; None where it wasn't read. Its texts are on several lines.
    """

    name: str
    case: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    time: datetime
    picture: Thumbnail | None
    overlay: Thumbnail | None
    verdict: Verdict | None
    finding: wording.Finding
    scale: Scale | None
    probability: str
    reasons: tuple[str, ...]
    evidence: tuple[Card, ...]
    map: str
    method: tuple[str, ...]
    limits: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    data: str
    metadata: FileMetadata | None = None


def assemble(
    report: Report,
    rgb: NDArray[np.uint8] | None,
    *,
    bundle: Bundle,
    operating_point: str,
    time: datetime,
    explanation: Explanation | None = None,
    data: bytes | None = None,
    case: Case | None = None,
    metadata: FileMetadata | None = None,
) -> CaseFile:
    """Assemble the content of a report on one picture.

    Args:
        report: Its report.
        rgb: Its pixels as decoded, uint8 [H, W, 3]; None where it couldn't be decoded.
        bundle: The bundle that gave the score (`Detector.bundle_of`).
        operating_point: Name of the operating point.
        time: Of the report, with its time zone.
        explanation: The explanation of the score, if requested.
        data: The file's bytes, for its size and hashes; without them there is only the SHA-256 that the report has.
        case: What the examiner writes into it.
        metadata: What the file's metadata states (`fauxto.read_metadata`), if it shall be in the report.

    Raises:
        ValueError: The time has no time zone.
    """
    judge, case = None if report.model is None else bundle, case or Case()
    name = shown(file_name(report.path or "") or "a picture without a name", MAX_NAME)
    overlay = None
    if explanation is not None and explanation.faithful and rgb is not None:
        overlay = thumbnail(explanation.overlay(fit(judged_part(rgb, report), _PICTURE_SIDE)), _PICTURE_SIDE)
    return CaseFile(
        name=name,
        case=tuple(record.case_lines(case)),
        notes=tuple(record.notes(case)),
        time=time,
        picture=None if rgb is None else _shown(rgb, report),
        overlay=overlay,
        verdict=report.verdict,
        finding=wording.finding(report),
        scale=scale(report, judge, operating_point),
        probability=" ".join(probability(report, judge)),
        reasons=tuple(shown(wording.as_sentence(reason)) for reason in report.reasons),
        evidence=tuple(
            _card(group, piece) for group, pieces in wording.grouped(report.evidence).items() for piece in pieces
        ),
        map="" if explanation is None else _map(explanation, is_shown=overlay is not None),
        method=tuple(_method(report, judge, operating_point, explanation)),
        limits=(*_domain(judge), *LIMITS),
        facts=tuple((label, shown(value)) for label, value in record.facts(report, name, operating_point, time, data)),
        data=_data(replace(report, path=report.path and _unfoldered(report.path))),
        metadata=metadata,
    )


def _shown(rgb: NDArray[np.uint8], report: Report) -> Thumbnail:
    """Return the picture in the size of reports, dimmed around the part that was judged."""
    return thumbnail(rgb if report.crop is None else marked(fit(rgb, _PICTURE_SIDE), report), _PICTURE_SIDE)


def scale(report: Report, bundle: Bundle | None, operating_point: str) -> Scale | None:
    """Return a report's probability on its scale; None where there is none. The arguments are those of `assemble`."""
    if bundle is None or report.probability is None:
        return None
    point = bundle.operating_points[operating_point]
    return Scale(report.probability, point.real_below, point.ai_above, wording.is_in_domain(report))


def probability(report: Report, bundle: Bundle | None) -> Iterator[str]:
    """Yield what a report's probability means, in sentences; none where there is no probability."""
    if bundle is None or report.probability is None:
        return
    if not wording.is_in_domain(report):
        yield f"The raw probability, {wording.percent(report.probability)}, means nothing here."
        return
    yield f"Probability that it was generated, from the pixels alone: {wording.percent(report.probability)}."
    if report.score is not None:
        yield error_rates.scored_this_high(bundle, report.score)
    if report.stability is not None and not report.stability.flips:  # else a reason says it
        yield "The verdict stayed the same after we shrank and re-saved the picture."


def _card(group: Group, evidence: Evidence) -> Card:
    worth = ""
    if evidence.says is not Says.NOTHING:
        worth = f"Says {wording.SAYS[evidence.says]}; {wording.TRUST[evidence.trust]}."
    source = shown(title(evidence.source), MAX_NAME)
    return Card(group, evidence.is_tampered, source, evidence.says, evidence.trust, worth, shown(evidence.summary))


def _method(
    report: Report, bundle: Bundle | None, operating_point: str, explanation: Explanation | None
) -> Iterator[str]:
    if bundle is None:
        yield "The file didn't pass fauxto's format and size checks, so no model was run."
        return
    point, calibration = bundle.operating_points[operating_point], bundle.calibration
    yield (
        f"fauxto decoded the picture and judged its pixels offline with the model {bundle.name} {bundle.version}. "
        f"{bundle.summary}"
    )
    yield (
        f"The probability is calibrated on {calibration.count:,} pictures of known origin (tuning data: "
        f"{calibration.fitted_on}): of the pictures given 80 %, about 80 in 100 should be generated, if generated "
        f"pictures are as common as photographs; among other pictures it may be more or fewer."
    )
    yield (
        f"From {_share(point.ai_above)} a picture counts as generated, up to {_share(point.real_below)} as a "
        f"photograph (operating point '{operating_point}')."
    )
    yield " ".join(error_rates.outcome(bundle, operating_point))
    yield (
        "Evidence in the file is read separately from the pixels and never changes their score; a fixed rule combines "
        f"both. This verdict is based on: {report.basis}."
    )
    if explanation is not None:
        yield (
            "A map of how far the score drops when a part is blurred (Zeiler and Fergus, 2014) was tested by deletion "
            "(Petsiuk, Das and Saenko, 2018); only a map that passes is shown."
        )


def _domain(bundle: Bundle | None) -> Iterator[str]:
    if bundle is not None:
        yield (
            f"The model only judges photograph-like pictures whose shorter side is {bundle.domain.short_sides}; "
            f"any other is inconclusive."
        )


def _map(explanation: Explanation, *, is_shown: bool) -> str:
    if not is_shown:
        return explanation.sentence
    return (
        f"Orange points to a generated picture, blue to a photograph. {explanation.sentence} "
        "A map shows what moved the score, not what is wrong with the picture."
    )


def _unfoldered(path: str) -> str:
    """Return a path without its folders, which are nobody's business; an address whole, which is where it came from."""
    return path if is_address(path) else file_name(path)


def _share(share: float) -> str:
    return f"{100 * share:.3g} %"


def _data(report: Report) -> str:
    lines = json.dumps(report.to_dict(), indent=2, ensure_ascii=False).split("\n")
    data = "\n".join(map(wording.printable, lines))
    return data if len(data) <= _MAX_DATA else f"{data[:_MAX_DATA]}\n… [cut: {len(data):,} characters]"
