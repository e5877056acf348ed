"""The bundle contract, format 2: a folder with bundle.json, model.onnx (whole or in parts), metrics.json and CARD.md.

`Description` mirrors bundle.json key by key; `read` turns a folder into a `Bundle` of which every part has
been checked. Format 1 is read too. docs/reference/bundle.md documents the same contract.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fauxto.bundles import model_file, onnx_file
from fauxto.bundles.metrics import Metrics
from fauxto.bundles.schema import build, parse
from fauxto.choices import CalibrationMethod, PointName
from fauxto.errors import BundleFormatError, BundleNotFoundError, ModelIntegrityError
from fauxto.preprocessing import Input
from fauxto.report import Verdict

FORMAT = 2
OPERATING_POINTS = tuple(PointName)

_MAX_BYTES = {"bundle.json": 1024**2, "metrics.json": 4 * 1024**2, "CARD.md": 1024**2}


@dataclass(frozen=True, slots=True)
class Domain:
    """The pictures that the network may judge: by their short side in pixels, ends included, and unlikeness."""

    min_short_side: int
    max_short_side: int
    max_unlikeness: float | None = None

    def __post_init__(self) -> None:
        _require(1 <= self.min_short_side <= self.max_short_side, "min_short_side must be 1 to max_short_side")
        _require(self.max_unlikeness is None or 0 < self.max_unlikeness <= 1, "max_unlikeness must be above 0 to 1")

    def distance(self, short_side: int) -> int:
        """Return the distance of a short side from the domain in pixels; 0 inside."""
        return max(self.min_short_side - short_side, short_side - self.max_short_side, 0)

    def unlike(self, unlikeness: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which pictures [N] are too unlike those that the network learnt; NaN is."""
        return ~(unlikeness <= (1.0 if self.max_unlikeness is None else self.max_unlikeness))

    @property
    def short_sides(self) -> str:
        """In words: "32 px" or "16 to 64 px"."""
        lowest = "" if self.min_short_side == self.max_short_side else f"{self.min_short_side} to "
        return f"{lowest}{self.max_short_side} px"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Probability = sigmoid(slope * score + intercept), fitted on the `count` pictures of `fitted_on`."""

    method: CalibrationMethod
    slope: float
    intercept: float
    fitted_on: str
    count: int

    def __post_init__(self) -> None:
        _require(self.slope > 0, "slope must be greater than 0")
        _require(self.count >= 0, "count must not be negative")

    def probability(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the calibrated P(AI) [N] of raw scores [N], in [0, 1]."""
        return np.exp(-np.logaddexp(0.0, -(self.slope * scores + self.intercept)))


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Two thresholds on the probability, and the rates in [0, 1] measured with them.

    A probability of at least `ai_above` gives ai, of at most `real_below` real, anything between inconclusive.
    """

    real_below: float
    ai_above: float
    fpr: float
    tpr: float
    inconclusive: float

    def __post_init__(self) -> None:
        _require(0 <= self.real_below <= self.ai_above <= 1, "real_below must be 0 to ai_above, and that at most 1")
        for share in ("fpr", "tpr", "inconclusive"):
            _require(0 <= getattr(self, share) <= 1, f"{share} must be 0 to 1")

    def verdict(self, probability: float) -> Verdict:
        """Return the verdict of a calibrated P(AI) in [0, 1]."""
        if probability >= self.ai_above:
            return Verdict.AI
        return Verdict.REAL if probability <= self.real_below else Verdict.INCONCLUSIVE


@dataclass(frozen=True, slots=True)
class ScoreQuantiles:
    """The share `fpr[i]` of the real validation pictures has a score of `score[i]` or more."""

    fpr: tuple[float, ...]
    score: tuple[float, ...]

    def __post_init__(self) -> None:
        _require(len(self.fpr) >= 1, "fpr must have an entry")
        _require(len(self.fpr) == len(self.score), "score must have as many entries as fpr")
        _require(all(0 < share <= 1 for share in self.fpr), "fpr must be above 0 and at most 1")
        _require(all(a > b for a, b in pairwise(self.fpr)), "fpr must fall from entry to entry")
        _require(all(a < b for a, b in pairwise(self.score)), "score must rise from entry to entry")

    def fpr_at(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share [N] of real pictures that score at least as high as `scores` [N].

        The logarithm of the share is interpolated linearly between entries, which fits the tails of scores;
        beyond the table's ends the share is that of the last entry, an upper bound for higher scores.
        """
        return np.exp(np.interp(scores, self.score, np.log(self.fpr)))


@dataclass(frozen=True, slots=True)
class Training:
    """Origin of the network; `seconds` is the training time."""

    network: str
    command: str
    git_revision: str
    seed: int
    dataset: str
    manifest_sha256: str
    parameters: int
    epochs: int
    seconds: float
    libraries: Mapping[str, str]


@dataclass(frozen=True)
class Description:
    """bundle.json, key by key.

    Attributes:
        stability: Whether to check that a verdict stays the same after re-encoding; doubles the cost.
        families: The families of generators that the network tells apart, in the order of its second output, and the
            probability from which one is named; null for one that never is. Empty where it has no such output.
    """

    format: Literal[2]
    name: str
    version: str
    summary: str
    model_sha256: str
    domain: Domain
    input: Input
    stability: bool
    labels: tuple[Literal["real"], Literal["ai"]]
    calibration: Calibration
    operating_points: Mapping[str, OperatingPoint]
    real_score_quantiles: ScoreQuantiles
    families: Mapping[str, float | None]
    training: Training

    def __post_init__(self) -> None:
        _require(
            re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", self.name) is not None,
            f"name must be lower-case letters and digits joined by '-', '.' or '_', not {self.name!r}",
        )
        _require(
            re.fullmatch(r"\d+\.\d+\.\d+", self.version, re.ASCII) is not None,
            f"version must be three numbers such as 1.0.0, not {self.version!r}",
        )
        _require(
            re.fullmatch(r"[0-9a-f]{64}", self.model_sha256) is not None,
            f"model_sha256 must be 64 lower-case hexadecimal digits, not {self.model_sha256!r}",
        )
        _require(
            set(self.operating_points) == set(OPERATING_POINTS),
            f"operating_points must be exactly {', '.join(OPERATING_POINTS)}",
        )
        least = [probability for probability in self.families.values() if probability is not None]
        _require(all(0 < probability <= 1 for probability in least), "families must be above 0 and at most 1, or null")

    @property
    def outputs(self) -> list[int]:
        """How many columns each output of the network has."""
        return [columns for columns in (2, len(self.families), self.domain.max_unlikeness is not None) if columns]


@dataclass(frozen=True, eq=False, repr=False)
class Bundle(Description):
    """A model bundle that has been read and completely checked.

    Attributes:
        folder: Where it was read from.
        model: The bytes of model.onnx, exactly as hashed.
        card: The text of CARD.md (Markdown).
        metrics: The metrics; None for a bundle without metrics.json.
    """

    folder: Path
    model: bytes
    card: str
    metrics: Metrics | None = None

    def __repr__(self) -> str:
        return f"<Bundle: {self.name} {self.version}, for short sides of {self.domain.short_sides}>"


def read(folder: Path) -> Bundle:
    """Read the bundle in `folder` and check everything that can be checked without running the network.

    Raises:
        BundleNotFoundError: There is no folder, or it holds no bundle.json.
        BundleFormatError: A file is missing, can't be read or breaks the contract.
        ModelIntegrityError: model.onnx isn't the file that bundle.json describes.
    """
    try:
        return _read(folder)
    except OSError as error:
        raise BundleFormatError(f"{error.filename or folder} can't be read: {error.strerror}") from error


def _read(folder: Path) -> Bundle:
    if folder.exists() and not folder.is_dir():
        raise BundleFormatError(f"{folder} is a file; a bundle is a folder with bundle.json, model.onnx and CARD.md")
    if not (folder / "bundle.json").exists():
        raise BundleNotFoundError(f"{folder} isn't a model bundle: it has no bundle.json")
    described: Description = _parse(folder / "bundle.json", lambda plain: build(Description, _lifted(plain), ""))
    model, where = model_file.read(folder), folder / model_file.NAME
    digest = hashlib.sha256(model).hexdigest()
    if digest != described.model_sha256:
        raise ModelIntegrityError(
            f"{where}, whole or joined from its parts, isn't the file that bundle.json describes: "
            f"expected sha256 {described.model_sha256}, found {digest}; install the bundle again"
        )
    onnx_file.check(model, str(where), (described.input.height, described.input.width), described.outputs)
    card = _read_file(folder / "CARD.md").decode("utf-8", errors="replace")
    metrics = folder / "metrics.json"
    measured = _parse(metrics, lambda plain: build(Metrics, plain, "")) if metrics.exists() else None
    return Bundle(**vars(described), folder=folder, model=model, card=card, metrics=measured)


def _parse(path: Path, build_from: Callable[[object], Any]) -> Any:
    data = _read_file(path)
    try:
        return build_from(parse(data))
    except RecursionError as error:
        raise BundleFormatError(f"{path}: nested too deeply") from error
    except ValueError as error:  # JSON and UTF-8 errors are ValueErrors too
        raise BundleFormatError(f"{path}: {error}") from error


def _lifted(plain: object) -> object:
    """Return JSON of format 1, or from before families and unlikeness, as it would be today; else as it is."""
    if not isinstance(plain, dict):
        return plain
    plain = {"families": {}, **plain}
    if isinstance(domain := plain.get("domain"), dict):
        plain["domain"] = {"max_unlikeness": None, **domain}
    if type(plain.get("format")) is not int or plain["format"] != 1:
        return plain
    if not isinstance(table := plain.get("input"), dict):
        return {**plain, "format": FORMAT}
    for key in ("views", "crops"):
        if key in table:
            raise ValueError(f"input.{key} is unknown in format 1")
    if "view" not in table:
        raise ValueError("input.view is missing")
    view = build(Literal["whole"], table.pop("view"), "input.view")
    return {**plain, "format": FORMAT, "input": {"views": [view], "crops": 0, **table}}


def _read_file(path: Path) -> bytes:
    if not path.is_file():  # reading a pipe would block for ever
        raise BundleFormatError(f"{path.parent} isn't a complete bundle: {path.name} is missing")
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES[path.name] + 1)
    if len(data) > _MAX_BYTES[path.name]:
        raise BundleFormatError(f"{path} is larger than {_MAX_BYTES[path.name]:,} bytes")
    return data


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)
