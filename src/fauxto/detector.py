"""From a file to a report: the whole flow of one picture, and of many."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Self

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from fauxto import bundles, images, preprocessing
from fauxto.bundles import Bundle
from fauxto.bundles.model import Model, Outputs, judged, load_model
from fauxto.errors import ImageError
from fauxto.evidence import gather, load_sources, unreadable
from fauxto.images.in_memory import from_pixels
from fauxto.images.source import File
from fauxto.inside import Part, Rectangle, part_to_judge
from fauxto.limits import Limits
from fauxto.options import DetectorOptions
from fauxto.preprocessing import Pixels
from fauxto.reencoding import LONGEST_SIDE, reencode, shrink
from fauxto.report import Evidence, ImageSummary, Report, Stability, Status, Verdict
from fauxto.verdict import combine, lean, likeliest_family, looks_most_like, pixel_verdict, unstable

Source = File | PIL.Image.Image | NDArray[np.uint8]
"""A file, or the pixels of a picture: a PIL image, or uint8 [H, W, 3], [H, W, 4] or grey [H, W], in sRGB."""

_DEFAULT_LIMITS = Limits()
_DECODERS = 2  # threads that decode ahead; Pillow releases the GIL only inside its codecs, so more don't help


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """A decoded picture, ready for its model's network.

    `views` is uint8 [K, H, W, 3]; `small` is for the stability check, None if there is none. No more pixels are kept.
    """

    path: str | None
    model: Model
    views: Pixels
    small: Pixels | None
    part: Part
    facts: images.FileFacts
    evidence: tuple[Evidence, ...]
    milliseconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Scored:
    """Result for the pixels of one picture; None where the network gave no finite number, or isn't sure of a family."""

    score: float | None
    probability: float | None
    fpr: float | None
    family: tuple[str, float] | None
    unlikeness: float
    milliseconds: float


class Detector:
    """Judges pictures with model bundles, one per picture; thread-safe.

    Attributes:
        bundles: The bundles in use. A picture goes to the first with its short side in its domain, else to the nearest.
        options: The options.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        operating_point: str = "balanced",
        limits: Limits = _DEFAULT_LIMITS,
        batch_size: int = 64,
        threads: int | None = None,
        evidence: bool = True,
        personal: bool = False,
        trust_list: Path | None = None,
    ) -> None:
        """Load and check the bundles; networks are opened on first use.

        See `DetectorOptions` for the arguments.

        Raises:
            BundleError: The model can't be used.
            ConfigError: An invalid operating point, batch size or number of threads, an unusable trust list, or two
                sources of evidence with the same name.
        """
        self.options = DetectorOptions(
            model, operating_point, limits, batch_size, threads, evidence, personal, trust_list
        )
        self._models = tuple(load_model(name, threads) for name in (bundles.DEFAULTS if model is None else (model,)))
        self.bundles: tuple[Bundle, ...] = tuple(loaded.bundle for loaded in self._models)
        self._sources = load_sources(trust_list) if evidence else {}

    @classmethod
    def from_options(cls, options: DetectorOptions, threads: int | None = None) -> Self:
        """Make a detector; `threads` stands in for the options' own. Raises as `Detector` does."""
        return cls(**{**vars(options), "threads": threads or options.threads})

    def __repr__(self) -> str:
        models = ", ".join(f"{bundle.name} {bundle.version}" for bundle in self.bundles)
        return f"<Detector: {models}; {self.operating_point}>"

    @property
    def operating_point(self) -> str:
        """The name of the thresholds in use."""
        return self.options.operating_point

    @property
    def limits(self) -> Limits:
        """What one picture may cost."""
        return self.options.limits

    def analyze(self, source: Source, *, name: str | None = None, crop: Rectangle | None = None) -> Report:
        """Judge one picture.

        Args:
            source: A path, the bytes of a file, a file open for reading bytes, a PIL image, or an array of pixels:
                uint8 [H, W, 3], [H, W, 4] (laid on white) or grey [H, W]. Pixels come without evidence.
            name: Its name in the report; by default the path.
            crop: The part to judge, in pixels after orientation; by default the whole, or the picture in a screenshot.

        Returns:
            Its report; if the picture can't be judged, the status isn't `ok`.

        Raises:
            BundleError: The network can't be opened or fails, for any picture.
            ConfigError: The crop reaches beyond the picture.
            TypeError: `source` is nothing of that.
        """
        return self._judge([self._decode(source, name, crop)])[0]

    def analyze_many(self, sources: Iterable[Source]) -> Iterator[Report]:
        """Judge pictures in batches; reports come in the order of `sources`.

        `sources` may be infinite: at most two batches are read ahead. The first has one picture, each later one twice
        as many, up to `batch_size`. Paths are read in other threads; open files and pixels in this one.

        Raises:
            BundleError: The network can't be opened or fails.
            TypeError: `sources` is a single picture, or one of them is none.
        """
        single = (str, os.PathLike, bytes, bytearray, memoryview, PIL.Image.Image)
        if isinstance(sources, single) or (isinstance(sources, np.ndarray) and sources.ndim < 4):
            raise TypeError(f"analyze_many takes several pictures, not a single {type(sources).__name__}; use analyze")
        pool = ThreadPoolExecutor(_DECODERS, thread_name_prefix="fauxto-decode")
        ahead: deque[Future[_Decoded | Report]] = deque()
        size = 1
        try:
            for source in sources:
                ahead.append(self._submit(pool, source))
                if len(ahead) == 2 * size:
                    yield from self._judge_first(ahead, size)
                    size = min(2 * size, self.options.batch_size)
            while ahead:
                yield from self._judge_first(ahead, size)
        finally:
            pool.shutdown(cancel_futures=True)

    def score_pixels(self, pictures: Sequence[Pixels]) -> NDArray[np.float64]:
        """Score decoded pictures, each by the model for its size.

        Args:
            pictures: uint8 [H, W, 3] each, of any sizes.

        Returns:
            float64 [N]: the raw logit of AI, NaN where a network gives no finite number.

        Raises:
            BundleError: A network can't be opened or fails.
        """
        return np.array([score for score, *_ in self.judge_pixels(pictures)])

    def judge_pixels(self, pictures: Sequence[Pixels], *, versions: bool = False) -> list[Outputs]:
        """Do as `score_pixels`, for all that networks give; `versions` of the first picture all go to its model."""
        models = [self._model_for((pictures[0] if versions else rgb).shape) for rgb in pictures]
        return judged(models, [model.views(rgb) for rgb, model in zip(pictures, models, strict=True)])

    def reduced(self, rgb: Pixels) -> Pixels:
        """Return a picture, uint8 [H, W, 3], as small as it may be for `score_pixels` to give it the same score."""
        model = self._model_for(rgb.shape)
        smaller = preprocessing.reduced(rgb, model.bundle.input)
        return smaller if self._model_for(smaller.shape) is model else rgb

    def bundle_of(self, report: Report) -> Bundle:
        """Return the bundle that gave a report's score; the first one if none did."""
        named = (bundle for bundle in self.bundles if report.model and bundle.name == report.model.name)
        return next(named, self.bundles[0])

    def _model_for(self, shape: tuple[int, ...]) -> Model:
        """Return the model for a picture of `shape` [H, W, 3]."""
        return min(self._models, key=lambda model: model.bundle.domain.distance(min(shape[:2])))

    def _submit(self, pool: ThreadPoolExecutor, source: Source) -> Future[_Decoded | Report]:
        if isinstance(source, (str, os.PathLike, bytes)):
            return pool.submit(self._decode, source, None)
        # Open files may share a position (members of an archive do), so read it now.
        done: Future[_Decoded | Report] = Future()
        done.set_result(self._decode(source, None))
        return done

    def _decode(self, source: Source, name: str | None, crop: Rectangle | None = None) -> _Decoded | Report:
        started = perf_counter()
        if name is None and isinstance(source, (str, os.PathLike)):
            name = os.fsdecode(source)
        try:
            if isinstance(source, (PIL.Image.Image, np.ndarray)):
                data, picture = b"", from_pixels(source, self.limits)
            else:
                data = images.read_bytes(source, self.limits)
                picture = images.decode(data, self.limits, name=name)
        except ImageError as error:
            return replace(Report.unjudged(name, error.status, str(error)), milliseconds={"decode": _since(started)})
        rgb, part = part_to_judge(picture, crop)
        model = self._model_for(rgb.shape)
        views = model.views(rgb)
        small = shrink(rgb, LONGEST_SIDE) if model.bundle.stability else None
        milliseconds = {"decode": _since(started)}
        started = perf_counter()
        sources = self._sources if data else {}  # pixels alone carry nothing
        evidence = gather(data, picture, self.limits, sources, personal=self.options.personal)
        milliseconds |= {"evidence": _since(started)} if sources else {}
        return _Decoded(name, model, views, small, part, picture.facts, evidence, milliseconds)

    def _judge_first(self, ahead: deque[Future[_Decoded | Report]], size: int) -> list[Report]:
        return self._judge([ahead.popleft().result() for _ in range(min(size, len(ahead)))])

    def _judge(self, batch: list[_Decoded | Report]) -> list[Report]:
        pictures = [entry for entry in batch if isinstance(entry, _Decoded)]
        reports = iter(self._reports(pictures) if pictures else ())
        return [next(reports) if isinstance(entry, _Decoded) else entry for entry in batch]

    def _reports(self, pictures: list[_Decoded]) -> list[Report]:
        started = perf_counter()
        results = judged([picture.model for picture in pictures], [picture.views for picture in pictures])
        milliseconds = _since(started, len(pictures))
        pairs = zip(pictures, results, strict=True)
        return [self._report(picture, self._scored(picture, outputs, milliseconds)) for picture, outputs in pairs]

    def _scored(self, picture: _Decoded, outputs: Outputs, milliseconds: float) -> _Scored:
        bundle, (score, families, unlikeness) = picture.model.bundle, outputs
        if not np.isfinite(score):
            return _Scored(None, None, None, None, unlikeness, milliseconds)
        scores = np.array([score])
        probability, fpr = bundle.calibration.probability(scores), bundle.real_score_quantiles.fpr_at(scores)
        family = likeliest_family(bundle.families, families)
        return _Scored(score, float(probability[0]), float(fpr[0]), family, unlikeness, milliseconds)

    def _report(self, picture: _Decoded, scored: _Scored) -> Report:
        facts, part, bundle = picture.facts, picture.part, picture.model.bundle
        point = bundle.operating_points[self.operating_point]
        seen = scored.probability, part.short_side, part.objection, bundle.domain, point, scored.unlikeness
        pixels, reason = pixel_verdict(*seen)
        started = perf_counter()
        stability = self._stability(picture, pixels)
        if stability and stability.flips:
            pixels, reason = Verdict.INCONCLUSIVE, unstable(pixels)
        family = (looks_most_like(*scored.family),) if scored.family and pixels is Verdict.AI else ()
        verdict, basis, reasons = combine(pixels, picture.evidence)
        notes = *part.reasons, *facts.notes, *unreadable(picture.evidence, facts.notes)
        return Report(
            path=picture.path,
            status=Status.OK,
            verdict=verdict,
            basis=basis,
            probability=scored.probability,
            score=scored.score,
            fpr_at_score=scored.fpr,
            stability=stability,
            reasons=(*reasons, reason, *family, *notes),
            evidence=picture.evidence,
            image=ImageSummary(facts.width, facts.height, facts.format, facts.sha256),
            model=picture.model.summary,
            milliseconds={**picture.milliseconds, "model": round(scored.milliseconds + _since(started), 3)},
            lean=lean(scored.probability, reason, (verdict, basis), picture.evidence, point),
            crop=part.crop,
        )

    def _stability(self, picture: _Decoded, pixels: Verdict) -> Stability | None:
        """Check a verdict on a re-encoded copy; None if there is nothing to check."""
        if picture.small is None or pixels is Verdict.INCONCLUSIVE:
            return None
        bundle = picture.model.bundle
        probability = bundle.calibration.probability(picture.model.network.score([reencode(picture.small)]))
        verdict = bundle.operating_points[self.operating_point].verdict(float(probability[0]))
        return Stability(flips=int(verdict is not pixels), of=1)


def _since(started: float, pictures: int = 1) -> float:
    return round((perf_counter() - started) * 1000 / pictures, 3)


_lock = threading.Lock()


@cache
def _default() -> Detector:
    return Detector()


def check(source: Source, *, name: str | None = None, crop: Rectangle | None = None) -> Report:
    """Judge one picture with the built-in models, which are loaded once per process; thread-safe.

    For many pictures or other options, make a `Detector`. Arguments, result and errors are those of `Detector.analyze`.
    """
    with _lock:  # threads that come together wait for the same one
        detector = _default()
    return detector.analyze(source, name=name, crop=crop)
