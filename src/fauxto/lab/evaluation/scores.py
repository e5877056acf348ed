"""What a bundle's network makes of every picture of a split under every protocol: asked once, and kept."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fauxto import domain, preprocessing, reencoding
from fauxto.bundles import Bundle
from fauxto.bundles import network as network_module
from fauxto.bundles.bundle import OperatingPoint
from fauxto.bundles.network import Network
from fauxto.errors import FauxtoError
from fauxto.lab import cache
from fauxto.lab.datasets import Split
from fauxto.lab.degradations import functions, protocols
from fauxto.lab.degradations.protocols import Protocol
from fauxto.report import Lean, Verdict
from fauxto.verdict import leaning

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of N pictures under one protocol.

    Attributes:
        protocol: Under which.
        score: float64 [N], raw.
        reencoded: float64 [N], the score after the re-encoding that a verdict must outlast; equal to `score` where the
            bundle asks for no such thing.
        refused: bool [N], whether the picture is out of domain, whatever its size.
        families: float64 [N, F], the probability of each of the bundle's families of generators.
        unlikeness: float64 [N], in [0, 1], how unlike those that the network learnt the pictures are.
    """

    protocol: Protocol
    score: Floats
    reencoded: Floats
    refused: NDArray[np.bool_]
    families: Floats
    unlikeness: Floats

    def verdicts(self, bundle: Bundle, point: OperatingPoint) -> NDArray[np.str_]:
        """Return the verdict on each picture [N], as the runtime would give it."""
        probabilities, again = (bundle.calibration.probability(scores) for scores in (self.score, self.reencoded))
        rows = zip(probabilities.tolist(), again.tolist(), self._outside(bundle).tolist(), strict=True)
        return np.array([_verdict(point, *row) for row in rows])

    def leans(self, bundle: Bundle, point: OperatingPoint) -> NDArray[np.str_]:
        """Return where each picture [N] leans that gets no verdict for its probability; "none" for all others."""
        rows = zip(bundle.calibration.probability(self.score).tolist(), self._outside(bundle).tolist(), strict=True)
        return np.array([_lean(point, *row) for row in rows])

    def of(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Scores:
        """Return the scores of some of the pictures."""
        more = self.families[rows], self.unlikeness[rows]
        return Scores(self.protocol, self.score[rows], self.reencoded[rows], self.refused[rows], *more)

    def _outside(self, bundle: Bundle) -> NDArray[np.bool_]:
        return self.refused | bundle.domain.unlike(self.unlikeness)


def _verdict(point: OperatingPoint, probability: float, reencoded: float, refused: bool) -> str:
    verdict = point.verdict(probability)
    return verdict if not refused and point.verdict(reencoded) is verdict else Verdict.INCONCLUSIVE


def _lean(point: OperatingPoint, probability: float, refused: bool) -> str:
    is_open = point.verdict(probability) is Verdict.INCONCLUSIVE and not refused
    return leaning(probability, point) if is_open else Lean.NONE


def score(
    bundle: Bundle,
    pictures: Split,
    under: Sequence[Protocol],
    folder: Path,
    *,
    rows: NDArray[np.int64] | None = None,
    seed: int = 1,
) -> list[Scores]:
    """Score a split under every protocol.

    Args:
        bundle: Whose network is asked.
        pictures: The split.
        under: The protocols.
        folder: Where caches lie.
        rows: The pictures to score, int [N]; None for all of them.
        seed: Of what the protocols leave to chance.

    Raises:
        FauxtoError: A score isn't a finite number.
    """
    chosen = np.arange(len(pictures)) if rows is None else rows
    everyone = pictures.identities
    identities = [everyone[row] for row in chosen]
    facts = (
        bundle.model_sha256,
        asdict(bundle.input),
        bundle.stability,
        bundle.outputs,
        seed,
        [f"{p.name} {p.severity}" for p in under],
    )
    code = (sys.modules[__name__], network_module, protocols, functions, reencoding, preprocessing, domain)
    network = Network(bundle, threads=1)

    def compute(few: range) -> cache.Array:
        draws = [np.random.default_rng((seed, int(identities[row][:8], 16))) for row in few]
        seen = [_seen(pictures.images[chosen[row]], under, drawn) for row, drawn in zip(few, draws, strict=True)]
        copies = [reencoding.reencode(rgb) for each in seen for rgb in each] if bundle.stability else []
        plain = [rgb for each in seen for rgb in each]
        judged = network.judge([network.views(rgb) for rgb in (*plain, *copies)])
        scores = np.tile(judged.scores, 1 if copies else 2).reshape(2, -1)
        refused = [domain.objection(rgb) is not None for rgb in plain]
        table = np.column_stack([*scores, refused, judged.unlikeness[: len(plain)], judged.families[: len(plain)]])
        return table.reshape(len(few), len(under), -1)

    name = f"{pictures.name}-scores-{cache.key(identities, *facts, *code)}"
    table = cache.rows(folder, name, len(chosen), compute).whole().astype(np.float64)
    if broken := int(np.count_nonzero(~np.isfinite(table).all(axis=(1, 2)))):
        raise FauxtoError(
            f"the network of {bundle.folder} gives no finite score for {broken} of {len(table)} pictures: "
            "its weights are broken; train it again"
        )
    columns = np.moveaxis(table, 0, -1)
    return [
        Scores(protocol, plain, reencoded, refused > 0, np.reshape(families, (-1, len(chosen))).T, unlikeness)
        for protocol, (plain, reencoded, refused, unlikeness, *families) in zip(under, columns, strict=True)
    ]


def _seen(rgb: NDArray[np.uint8], under: Sequence[Protocol], draws: np.random.Generator) -> list[NDArray[np.uint8]]:
    return [protocol.apply(rgb, draws) for protocol in under]
