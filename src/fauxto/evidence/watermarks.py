"""Invisible watermarks: known messages that the reference code of open models hides in the pixels.

The marks are those of the package invisible-watermark (Q. Wang, 2020). It takes the chrominance U of YUV, its Haar
approximation, cuts that into blocks of 4 x 4, and makes each block carry one bit of a message that is repeated block by
block, row by row, over the whole picture. A bit is hidden in the remainder, by 36, of one number of the block:

    dwtDct      the block's largest coefficient but the first; survives lossless files and hardly more
    dwtDctSvd   the block's largest singular value; survives JPEG at quality 75

The names promise a DCT, but there is none to undo: dwtDct takes no DCT, and a DCT leaves singular values as they are.

A picture isn't judged by single bits, which many pictures garble, but by how the averages of all blocks that should
carry the same bit go along with the message: their correlation, in standard errors (R. A. Fisher, "On the 'probable
error' of a coefficient of correlation deduced from a small sample", 1921). docs/reference/evidence-traces.md has the
false alarms and what is found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fauxto.evidence.chroma_blocks import chroma_blocks
from fauxto.images import Image
from fauxto.limits import Limits
from fauxto.report import Evidence, Says, Trust

SMALLEST_PICTURE = 256 * 256
"""Pixels; the package marks no smaller picture."""

THRESHOLD = 6.0
"""Standard errors from which on a match counts as a mark."""

FALSE_ALARMS = "0 of 2,600 crops of photographs, 0 of 2,487 photographs in full size"
"""At `THRESHOLD`, as measured by benchmarks/quality/watermark_false_alarms.py."""

VOTES_PER_BIT = 4
"""Blocks that must speak for each bit of a message before it is looked for."""

UNREADABLE_HERE = {
    "SynthID": "by Google, also in others' pictures; its detector isn't public",
    "Stable Signature, Content Seal": "by Meta; the keys in use aren't public",
    "TrustMark": "by Adobe; it names a record on a server, and fauxto asks none",
    "Digimarc": "its detector isn't public",
}

_STEP = 36.0

# What the writer's U lies above ours, as its Haar approximation: 128 and 0.5, as OpenCV has it for bytes and for
# floating-point numbers, each times two.
_FROM_BYTES, _FROM_FLOATS = 256.0, 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message and who writes it; `bits` is float64 [L] of 0 and 1."""

    writer: str
    bits: NDArray[np.float64]


def _text(writer: str, text: bytes) -> Message:
    return Message(writer, np.unpackbits(np.frombuffer(text, np.uint8)).astype(np.float64))


def _number(writer: str, number: int) -> Message:
    """Write a number without its leading zeros, as the writers' own `bin(number)[2:]` does."""
    return Message(writer, np.array([int(bit) for bit in f"{number:b}"], np.float64))


_SD1 = _text("Stable Diffusion 1", b"StableDiffusionV1")
_SD1_INPAINTING = _text("Stable Diffusion 1 inpainting", b"StableDiffusionV1-Inpainting")
_SD2 = _text("Stable Diffusion 2", b"SDV2")
_SDXL = _number("Stable Diffusion XL", 0b101100111110110010010000011110111011000110011110)
_FLUX = _number("FLUX", 0b001010101111111010000111100111001111010100101110)
ALL_MESSAGES = (_SD1, _SD1_INPAINTING, _SD2, _SDXL, _FLUX)


@dataclass(frozen=True, slots=True)
class Match:
    """How well a message was found: `strength` in standard errors, `matched` of `message.bits` by majority."""

    message: Message
    method: str
    strength: float
    matched: int


def read(data: bytes, image: Image, limits: Limits) -> Evidence:
    """Look for the known watermarks in the middle of a picture; a hit says AI, trust inferred.

    Args:
        data: Not used: the marks lie in the pixels.
        image: The decoded picture, of any size; at most a million of its pixels are looked at.
        limits: Not used.
    """
    large_enough = image.rgb.shape[0] * image.rgb.shape[1] >= SMALLEST_PICTURE
    best = max(matches(image.rgb), key=lambda match: match.strength, default=None) if large_enough else None
    details = _details(best)
    if best is None:
        summary = "The picture is too small or too narrow to carry an invisible watermark that fauxto can read."
        return Evidence("watermarks", Says.NOTHING, Trust.INFERRED, summary, details)
    if best.strength < THRESHOLD:
        summary = (
            "No invisible watermark of open models was found; those of Google (SynthID), Meta, Adobe and Digimarc "
            "can't be read here and may be there."
        )
        return Evidence("watermarks", Says.NOTHING, Trust.INFERRED, summary, details)
    summary = (
        f"The pixels carry the invisible watermark of {best.message.writer} ({best.matched} of "
        f"{len(best.message.bits)} bits); anyone can put this mark onto any picture."
    )
    return Evidence("watermarks", Says.AI, Trust.INFERRED, summary, details)


def matches(rgb: NDArray[np.uint8], rotation: int = 0) -> list[Match]:
    """Compare the middle of a picture with every known message.

    Args:
        rgb: uint8 [height, width, 3], uncropped and unscaled since it was marked.
        rotation: Bits by which every message is rotated first. Nobody writes rotated messages, so that other values
            than 0 measure what chance finds.

    Returns:
        One match for each message and way of writing it; none for messages too long for the picture.
    """
    blue, red = chroma_blocks(rgb)
    largest, largest_red = blue.outliers(), red.outliers()
    votes = {
        "dwtDct": (_bits(largest + _FROM_BYTES), (_SD1, _SD1_INPAINTING, _SD2)),
        "dwtDct of floats": (_bits(largest + _FROM_FLOATS), (_SDXL, _FLUX)),
        "dwtDct of floats, red for blue": (_bits(largest_red + _FROM_FLOATS), (_SDXL,)),  # as diffusers writes it
        "dwtDctSvd": (_bits(blue.singular_values(_FROM_BYTES)), ALL_MESSAGES),
    }
    return [
        _match(message, method, bits, blue.index + rotation)
        for method, (bits, messages) in votes.items()
        for message in messages
        if len(bits) >= VOTES_PER_BIT * len(message.bits)
    ]


def _bits(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.abs(values) % _STEP > _STEP / 2


def _match(message: Message, method: str, bits: NDArray[np.bool_], index: NDArray[np.int64]) -> Match:
    length = len(message.bits)
    place = index % length
    counts = np.bincount(place, minlength=length)
    share = np.bincount(place, bits, minlength=length) / np.maximum(counts, 1)
    share -= share.mean()
    expected = message.bits - message.bits.mean()
    scale = math.sqrt(float(share @ share) * float(expected @ expected))
    correlation = float(share @ expected) / scale if scale > 0 else 0.0
    strength = math.atanh(min(max(correlation, -1 + 1e-9), 1 - 1e-9)) * math.sqrt(length - 3)
    return Match(message, method, strength, int(((share > 0) == (message.bits > 0)).sum()))


def _details(best: Match | None) -> dict[str, Any]:
    details: dict[str, Any] = {
        "found": best is not None and best.strength >= THRESHOLD,
        "looked_for": [message.writer for message in ALL_MESSAGES],
        "unreadable_here": UNREADABLE_HERE,
        "threshold": THRESHOLD,
        "false_alarms": FALSE_ALARMS,
    }
    if best is not None:
        details["strongest_match"] = {
            "message": best.message.writer,
            "method": best.method,
            "strength": round(best.strength, 2),
            "matched_bits": best.matched,
            "bits": len(best.message.bits),
        }
    return details
