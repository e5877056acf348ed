"""What fauxto says about one picture: a `Report` and its parts.

The JSON form is version 1 of the schema in docs/reference/report.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

REPORT_VERSION = 1


class Verdict(StrEnum):
    """The verdict on a picture."""

    REAL = "real"
    AI = "ai"
    INCONCLUSIVE = "inconclusive"


class Lean(StrEnum):
    """Where the pixels lean that get no verdict; never a verdict, and never counted as one."""

    AI = "ai"
    REAL = "real"
    NONE = "none"


class Status(StrEnum):
    """Whether a picture could be judged, and if not, why."""

    OK = "ok"
    NOT_FOUND = "not_found"
    NOT_A_FILE = "not_a_file"
    UNREADABLE = "unreadable"
    UNSUPPORTED_FORMAT = "unsupported_format"
    UNSUPPORTED_MODE = "unsupported_mode"
    TOO_LARGE = "too_large"
    TRUNCATED = "truncated"
    TIMED_OUT = "timed_out"


class Basis(StrEnum):
    """What a verdict rests on (docs/explanation/verdict.md)."""

    PIXELS = "pixels"
    CONTENT_CREDENTIALS = "content credentials"
    DECLARED_METADATA = "declared metadata"
    CONFLICT = "conflict"


class Says(StrEnum):
    """What one source of evidence says about a picture."""

    AI = "ai"
    REAL = "real"
    NOTHING = "nothing"


class Trust(StrEnum):
    """How far one source of evidence can be trusted.

    `signed` is a cryptographic signature that verifies against a trusted signer, `declared` is metadata that anyone
    could have written, `inferred` is our own interpretation of traces.
    """

    SIGNED = "signed"
    DECLARED = "declared"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a report says what it says: a stable `word` for programs ("too_small") and a `sentence` for people.

    Its text, and its form in JSON, is "word: sentence".
    """

    word: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.word}: {self.sentence}" if self.word else self.sentence

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a reason's text; without a leading word, `word` is empty."""
        word, colon, sentence = text.partition(": ")
        return cls(word, sentence) if colon and word.isidentifier() and word.islower() else cls("", text)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source found in one file; `summary` is one sentence for a person, `details` are for a program."""

    source: str
    says: Says
    trust: Trust
    summary: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_composite(self) -> bool:
        """Whether it says that a model made only parts of the picture."""
        return self.details.get("kind") == "composite"

    @property
    def is_tampered(self) -> bool:
        """Whether it is a content credential that doesn't match its picture."""
        return self.source == "content_credentials" and self.details.get("outcome") == "tampered"

    @property
    def is_credential(self) -> bool:
        """Whether it is about a content credential that the file has, or says is kept elsewhere."""
        return self.source == "content_credentials" and self.details.get("outcome", "none") != "none"


@dataclass(frozen=True, slots=True)
class Stability:
    """How many of `of` mild re-encodings flipped the verdict."""

    flips: int
    of: int


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """The picture as decoded: size in pixels after orientation, container format, sha256 of the file's bytes.

    A picture that came as pixels has the format "pixels", and the sha256 of its RGB values, row by row.
    """

    width: int
    height: int
    format: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a picture that was judged: its left upper corner and its size, in pixels after orientation."""

    x: int
    y: int
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width} x {self.height} px at x {self.x}, y {self.y}"


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """The bundle that gave the score; `sha256` is that of its model.onnx."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """Everything that fauxto says about one picture.

    Where `status` isn't `ok` there is no verdict, no score and no probability, and `reasons` says what happened.

    Attributes:
        path: The path or name that the caller gave; None for bytes without a name.
        status: Whether the picture could be judged.
        verdict: None unless `status` is `ok`.
        basis: What the verdict rests on.
        probability: Calibrated P(AI) from the pixels alone, in [0, 1].
        score: The network's raw logit of AI.
        fpr_at_score: Share of real validation pictures that score at least this high.
        stability: Verdict flips under mild re-encoding; None if not checked.
        reasons: The reasons, most important first.
        evidence: One entry per source, in the order of the sources.
        image: None when the picture couldn't be decoded.
        model: None if no network was run.
        milliseconds: Time per stage, in milliseconds ("decode", "evidence", "model").
        lean: Where the pixels lean between the thresholds (`fauxto.verdict.lean`); not a verdict.
        crop: The part of the picture that score, probability and verdict of the pixels are about; None for the whole.
    """

    path: str | None
    status: Status
    verdict: Verdict | None = None
    basis: Basis | None = None
    probability: float | None = None
    score: float | None = None
    fpr_at_score: float | None = None
    stability: Stability | None = None
    reasons: tuple[Reason, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    image: ImageSummary | None = None
    model: ModelSummary | None = None
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    lean: Lean = Lean.NONE
    crop: Crop | None = None

    @classmethod
    def unjudged(cls, path: str | None, status: Status, sentence: str, *, word: str | None = None) -> Self:
        """Return the report on a picture that couldn't be judged.

        Args:
            path: The path or name that the caller gave.
            status: Any but `ok`.
            sentence: What happened, and what to do.
            word: Leads the reason; the status itself where that says enough.
        """
        return cls(path, status, reasons=(Reason(word or status.value, sentence),))

    def __repr__(self) -> str:
        outcome = f"{self.verdict} ({self.basis})" if self.verdict else f"not judged ({self.status})"
        probability = "" if self.probability is None else f", probability {self.probability:.3g}"
        return f"<Report: {'' if self.path is None else f'{self.path!a} '}{outcome}{probability}>"

    def _repr_html_(self) -> str:
        """Return a card for notebooks."""
        from fauxto.export.notebook import card

        return card(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers, ready for `json.dumps`."""
        plain = {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__ if name != "reasons"}
        plain["evidence"] = list(plain["evidence"])
        return {"version": REPORT_VERSION, **_FIELDS, **plain, "reasons": list(map(str, self.reasons))}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Rebuild a report from `to_dict`'s result; those from before there were leans and crops have none.

        Raises:
            ValueError: The version is unknown.
            KeyError: A field is missing.
        """
        if plain["version"] != REPORT_VERSION:
            raise ValueError(f"report version {plain['version']!r} is unknown; this fauxto reads {REPORT_VERSION}")
        return cls(
            path=plain["path"],
            status=Status(plain["status"]),
            verdict=None if plain["verdict"] is None else Verdict(plain["verdict"]),
            basis=None if plain["basis"] is None else Basis(plain["basis"]),
            probability=plain["probability"],
            score=plain["score"],
            fpr_at_score=plain["fpr_at_score"],
            stability=None if plain["stability"] is None else Stability(**plain["stability"]),
            reasons=tuple(map(Reason.parse, plain["reasons"])),
            evidence=tuple(
                Evidence(
                    source=piece["source"],
                    says=Says(piece["says"]),
                    trust=Trust(piece["trust"]),
                    summary=piece["summary"],
                    details=piece["details"],
                )
                for piece in plain["evidence"]
            ),
            image=None if plain["image"] is None else ImageSummary(**plain["image"]),
            model=None if plain["model"] is None else ModelSummary(**plain["model"]),
            milliseconds=plain["milliseconds"],
            lean=Lean(plain.get("lean", Lean.NONE)),
            crop=None if plain.get("crop") is None else Crop(**plain["crop"]),
        )


_FIELDS = dict.fromkeys(Report.__dataclass_fields__)
"""Their order in `Report.to_dict`."""


def _plain(value: Any) -> Any:
    """Copy a value with its dataclasses as dicts: like `dataclasses.asdict`, several times as fast."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    fields = getattr(value, "__dataclass_fields__", None)
    return value if fields is None else {name: _plain(getattr(value, name)) for name in fields}
