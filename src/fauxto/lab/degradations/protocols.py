"""Fixed degradations, named for the reader of a table: what a network is measured under."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from fauxto.lab.degradations import functions
from fauxto.lab.degradations.functions import Pixels


@dataclass(frozen=True, slots=True)
class Protocol:
    """One kind of damage at one severity.

    Attributes:
        name: The kind.
        severity: How much of it.
        apply: From uint8 [H, W, 3] to uint8 [h, w, 3]; what it leaves to chance comes from the generator.
    """

    name: str
    severity: str
    apply: Callable[[Pixels, np.random.Generator], Pixels]


def _fixed(function: Callable[..., Pixels], *severity: float) -> Callable[[Pixels, np.random.Generator], Pixels]:
    """Wrap a function that leaves nothing to chance."""
    return lambda rgb, rng: function(rgb, *severity)


def _noise(rgb: Pixels, rng: np.random.Generator, sigma: float) -> Pixels:
    return functions.noise(rgb, sigma, rng)


def _crop(rgb: Pixels, rng: np.random.Generator, share: float) -> Pixels:
    return functions.crop(rgb, share, *rng.random(2))


def _saved_small(rgb: Pixels, longest: int, quality: int) -> Pixels:
    return functions.jpeg(functions.shrink(rgb, longest), quality)


CLEAN = Protocol("clean", "as found", _fixed(lambda rgb: rgb))

DELIVERED = (
    CLEAN,
    Protocol("web", "at most 768 px, JPEG q60", _fixed(_saved_small, 768, 60)),
    Protocol("hard", "at most 512 px, JPEG q40", _fixed(_saved_small, 512, 40)),
)
"""What every evaluation measures: both classes under the same last codec and quality, in `web` and `hard`."""

DAMAGED = (
    *(Protocol("JPEG", f"q{q}", _fixed(functions.jpeg, q)) for q in (95, 75, 60, 40, 30)),
    *(Protocol("WebP", f"q{q}", _fixed(functions.webp, q)) for q in (80, 50)),
    *(Protocol("blur", f"σ {sigma} px", _fixed(functions.blur, sigma)) for sigma in (0.5, 1.0)),
    *(Protocol("noise", f"σ {sigma} of 255", partial(_noise, sigma=sigma)) for sigma in (4, 8, 16)),
    *(Protocol("down and up", f"{part:.0%}", _fixed(functions.rescale, part)) for part in (0.75, 0.5)),
    *(Protocol("enlarged", f"to {side} px", _fixed(functions.enlarge, side)) for side in (48, 64)),
    Protocol("greyscale", "whole", _fixed(functions.greyscale)),
    *(Protocol("crop", f"{part:.0%} of each side", partial(_crop, share=part)) for part in (0.9, 0.75)),
)
"""One damage at a time, for the robustness table."""
