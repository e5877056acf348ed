"""Families of generators: whose pictures resemble each other more than those of others.

A generator's name in a manifest says which version and variant made a picture; on sources never met, a network can
tell families apart at best.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fauxto.lab.datasets import Split
from fauxto.scan.files import replaced

OTHERS = "another generator"
"""The family of all generators that have a name and no family here; it is learnt, and never named to people."""

PRECISION = 0.70
"""Share of the pictures of a named family that must be of it."""

FEWEST = 10
"""Pictures of a family, and named so, that its precision is measured on."""

_THRESHOLDS = tuple(number / 20 for number in range(10, 20))

_FAMILIES = {
    "GPT-image": r"gpt-|dall-e-3",
    "Gemini or Imagen": r"gemini|imagen|nano-banana",
    "Midjourney": r"midjourney",
    "FLUX": r"flux|chroma",
    "Stable Diffusion XL or 3": r"sdxl|xl-|xl$|sd3|stable-diffusion-3|playground|segmind|sd-comfy",
    "Stable Diffusion 1 or 2": r"stable-diffusion-[12]|sd15",
    "a GAN": r"stylegan|generated-photos|thisface|thismountain",
}
_UNKNOWN = re.compile(r"unattributed|mixed")


@dataclass(frozen=True, slots=True, eq=False)
class FamilyHead:
    """A linear map from features to the logits of F families of generators.

    Attributes:
        names: Of the families.
        kernel: float32 [D, F].
        bias: float32 [F].
    """

    names: tuple[str, ...]
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]

    def save(self, path: Path) -> None:
        """Write it to a file."""
        with replaced(path) as file:
            np.savez(file, names=np.array(self.names), kernel=self.kernel, bias=self.bias)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read it from a file of `save`."""
        with np.load(path, allow_pickle=False) as stored:
            return cls(tuple(stored["names"].tolist()), stored["kernel"], stored["bias"])


def families_of(pictures: Split) -> NDArray[np.str_]:
    """Return the family of each picture's generator, str [N]; empty for photographs and where nobody named it."""
    return np.array([_family(generator) for generator in pictures.rows["generator"].to_pylist()], np.str_)


def _family(generator: str | None) -> str:
    if generator is None or _UNKNOWN.search(generator):
        return ""
    return next((name for name, pattern in _FAMILIES.items() if re.search(pattern, generator)), OTHERS)


def thresholds(
    names: Sequence[str], probabilities: NDArray[np.float64], families: NDArray[np.str_]
) -> dict[str, float | None]:
    """Choose from which probability each family of generators is named.

    It is the lowest from which `PRECISION` of the pictures that are named so are of that family, were all families as
    common: the pictures at hand are mostly of few, and a name would seem right too often.

    Args:
        names: Of the F families.
        probabilities: float64 [N, F], of each family.
        families: str [N], what the pictures are of; empty where that isn't known.

    Returns:
        None for a family that can't be named so reliably, or was met in too few pictures.
    """
    known = families != ""
    _, family, counts = np.unique(families[known], return_inverse=True, return_counts=True)
    weights = np.where(counts >= FEWEST, 1 / counts, 0)[family]
    return {
        name: None if name == OTHERS else _threshold(number, probabilities[known], families[known] == name, weights)
        for number, name in enumerate(names)
    }


def _threshold(
    number: int, probabilities: NDArray[np.float64], of_it: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float | None:
    likeliest = probabilities.argmax(axis=1) == number
    for least in _THRESHOLDS:
        named = likeliest & (probabilities[:, number] >= least)
        if named.sum() >= FEWEST and weights[named & of_it].sum() >= PRECISION * weights[named].sum() > 0:
            return least
    return None
