"""From a file to a report: the whole flow of one picture, and of many."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fauxto import bundles, images
from fauxto.bundles import Bundle
from fauxto.bundles.network import Network
from fauxto.domain import objection
from fauxto.errors import ConfigError, ImageError
from fauxto.evidence import gather, load_sources
from fauxto.limits import Limits
from fauxto.preprocessing import resize
from fauxto.report import Evidence, ImageSummary, ModelSummary, Report, Status
from fauxto.verdict import combine, pixel_verdict

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO
"""A path, the bytes of a file, or a file that is open for reading bytes."""

_DEFAULT_LIMITS = Limits()
_DECODERS = 2
"""Threads that decode ahead; Pillow lets go of Python's lock inside its codecs only, so more don't help."""


@dataclass(frozen=True, slots=True, eq=False)
class _Decoded:
    """A picture on its way to the network; `pixels` is uint8 [H, W, 3] of the network's input size."""

    path: str | None
    pixels: NDArray[np.uint8]
    objection: str | None
    facts: images.FileFacts
    evidence: tuple[Evidence, ...]
    milliseconds: Mapping[str, float]


class Detector:
    """Judges pictures with one model bundle; may be used from several threads at once.

    Attributes:
        bundle: The bundle in use.
        operating_point: The name of the thresholds in use.
        limits: What one picture may cost.
    """

    def __init__(
        self,
        bundle: str | Path | None = None,
        *,
        operating_point: str = "balanced",
        limits: Limits = _DEFAULT_LIMITS,
        batch_size: int = 64,
        threads: int | None = None,
        evidence: bool = True,
        personal: bool = False,
        trust_list: Path | None = None,
    ) -> None:
        """Load and check a bundle; its network is opened at the first picture.

        Args:
            bundle: The name of an installed bundle or a folder; None for the default bundle.
            operating_point: "cautious", "balanced" or "sensitive".
            limits: What one picture may cost.
            batch_size: Most pictures in one run of the network.
            threads: How many threads one run of the network may use; None for one per physical core.
            evidence: Whether to read what the files carry; without it a verdict rests on the pixels alone.
            personal: Whether reports keep the names, places and serial numbers that files carry.
            trust_list: PEM certificates of those whose content credentials count as signed; None for the built-in list.

        Raises:
            BundleError: The bundle can't be used.
            ConfigError: An operating point, batch size or number of threads that there can't be, a trust list that
                can't be used, or two sources of evidence of one name.
        """
        self.bundle: Bundle = bundles.load(bundles.DEFAULT if bundle is None else bundle)
        if operating_point not in self.bundle.operating_points:
            known = ", ".join(self.bundle.operating_points)
            raise ConfigError(f"operating point {operating_point!r} is unknown; choose one of {known}")
        if batch_size < 1 or (threads is not None and threads < 1):
            raise ConfigError(f"batch_size and threads must be 1 or more, not {batch_size} and {threads}")
        self.operating_point = operating_point
        self.limits = limits
        self._batch_size = batch_size
        self._threads = threads
        self._sources = load_sources(trust_list) if evidence else {}
        self._personal = personal
        self._model = ModelSummary(self.bundle.name, self.bundle.version, self.bundle.model_sha256)
        self._network: Network | None = None
        self._network_lock = threading.Lock()

    def analyze(self, source: Source, *, name: str | None = None) -> Report:
        """Judge one picture.

        Args:
            source: A path, the bytes of a file, or a file open for reading bytes.
            name: What to call it in the report; where that is left out, a path is its own name.

        Returns:
            Its report; a picture that can't be judged is a report with another status than `ok`.

        Raises:
            BundleError: The network can't be opened or fails; no other picture would fare better.
            TypeError: `source` is nothing that bytes can be read from.
        """
        return self._judge([self._decode(source, name)])[0]

    def analyze_many(self, sources: Iterable[Source]) -> Iterator[Report]:
        """Judge pictures one after the other, in batches; reports come in the order of `sources`.

        `sources` may be endless: at most two batches are taken from it ahead of the report that is handed
        out. The first batch is of one picture and each of the next twice as large, up to `batch_size`, so that the
        first reports come at once. Paths are read in other threads; open files in this one, as they are taken.

        Raises:
            BundleError: The network can't be opened or fails.
            TypeError: `sources` is a single picture, or one of them is nothing that bytes can be read from.
        """
        if isinstance(sources, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"analyze_many takes several pictures, not a single {type(sources).__name__}; use analyze")
        pool = ThreadPoolExecutor(_DECODERS, thread_name_prefix="fauxto-decode")
        ahead: deque[Future[_Decoded | Report]] = deque()
        size = 1
        try:
            for source in sources:
                ahead.append(self._submit(pool, source))
                if len(ahead) == 2 * size:
                    yield from self._judge_first(ahead, size)
                    size = min(2 * size, self._batch_size)
            while ahead:
                yield from self._judge_first(ahead, size)
        finally:
            pool.shutdown(cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, source: Source) -> Future[_Decoded | Report]:
        if isinstance(source, (str, os.PathLike, bytes)):
            return pool.submit(self._decode, source, None)
        # An open file may share its position with the next one (members of an archive do): read it now.
        done: Future[_Decoded | Report] = Future()
        done.set_result(self._decode(source, None))
        return done

    def _decode(self, source: Source, name: str | None) -> _Decoded | Report:
        started = perf_counter()
        if name is None and isinstance(source, (str, os.PathLike)):
            name = os.fsdecode(source)
        try:
            data = images.read_bytes(source, self.limits)
            picture = images.decode(data, self.limits, name=name)
        except ImageError as error:
            reason = f"{error.status}: {error}"
            return Report(name, error.status, reasons=(reason,), milliseconds={"decode": _since(started)})
        pixels = resize(picture.rgb, self.bundle.input.height, self.bundle.input.width)
        why_not = objection(picture.rgb)
        milliseconds = {"decode": _since(started)}
        started = perf_counter()
        evidence = gather(data, picture, self.limits, self._sources, personal=self._personal)
        if self._sources:
            milliseconds["evidence"] = _since(started)
        return _Decoded(name, pixels, why_not, picture.facts, evidence, milliseconds)

    def _judge_first(self, ahead: deque[Future[_Decoded | Report]], size: int) -> list[Report]:
        return self._judge([ahead.popleft().result() for _ in range(min(size, len(ahead)))])

    def _judge(self, batch: list[_Decoded | Report]) -> list[Report]:
        decoded = [one for one in batch if isinstance(one, _Decoded)]
        judged = iter(self._score(decoded) if decoded else ())
        return [next(judged) if isinstance(one, _Decoded) else one for one in batch]

    def _score(self, decoded: list[_Decoded]) -> Iterator[Report]:
        network = self._open_network()
        started = perf_counter()
        logits = network.logits(np.stack([one.pixels for one in decoded])).astype(np.float64)
        milliseconds = _since(started, len(decoded))
        finite = np.isfinite(logits[:, 0]) & np.isfinite(logits[:, 1])
        scores = np.where(finite, logits[:, 1], 0.0) - np.where(finite, logits[:, 0], 0.0)
        probabilities = self.bundle.calibration.probability(scores)
        fprs = self.bundle.real_score_quantiles.fpr_at(scores)
        columns = (finite.tolist(), scores.tolist(), probabilities.tolist(), fprs.tolist())
        for one, usable, *numbers in zip(decoded, *columns, strict=True):
            yield self._report(one, numbers if usable else [None] * 3, milliseconds)

    def _report(self, one: _Decoded, numbers: list[Any], model_milliseconds: float) -> Report:
        score, probability, fpr_at_score = numbers
        facts = one.facts
        short_side = min(facts.width, facts.height)
        point = self.bundle.operating_points[self.operating_point]
        pixels, pixel_reason = pixel_verdict(probability, short_side, one.objection, self.bundle.domain, point)
        verdict, basis, reasons = combine(pixels, one.evidence)
        return Report(
            path=one.path,
            status=Status.OK,
            verdict=verdict,
            basis=basis,
            probability=probability,
            score=score,
            fpr_at_score=fpr_at_score,
            reasons=(*reasons, pixel_reason, *facts.notes),
            evidence=one.evidence,
            image=ImageSummary(facts.width, facts.height, facts.format, facts.sha256),
            model=self._model,
            milliseconds={**one.milliseconds, "model": model_milliseconds},
        )

    def _open_network(self) -> Network:
        with self._network_lock:
            if self._network is None:
                self._network = Network(self.bundle, self._threads)
            return self._network


def _since(started: float, pictures: int = 1) -> float:
    return round((perf_counter() - started) * 1000 / pictures, 3)
