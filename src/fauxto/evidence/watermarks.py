"""Invisible watermarks: known messages that the reference code of open models hides in the pixels.

The watermarks are those of the package invisible-watermark (Q. Wang, 2020). It takes the Haar approximation of the
chrominance U of YUV, cuts it into blocks of 4 x 4, and hides one bit of a message in each block; the message repeats,
row by row, over the whole picture. The bit is encoded in one number of the block, modulo 36:

    dwtDct      the block's largest coefficient except the first; survives little more than lossless files
    dwtDctSvd   the block's largest singular value; survives JPEG at quality 75

Despite the names there is no DCT to undo: dwtDct takes none, and a DCT doesn't change singular values.

Single bits are unreliable. So we average all blocks that should carry the same bit, and correlate the averages with the
message; the strength is that correlation in standard errors (R. A. Fisher, "On the 'probable error' of a coefficient of
correlation deduced from a small sample", 1921). docs/reference/evidence-traces.md has the false alarms and detection
rates.
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
"""Pixels; the package refuses smaller pictures."""

THRESHOLD = 6.0
"""Standard errors at which a match counts as a watermark."""

FALSE_ALARMS = "0 of 2,600 crops of photographs, 0 of 2,487 photographs in full size"
"""At `THRESHOLD`, as measured by benchmarks/quality/watermark_false_alarms.py."""

VOTES_PER_BIT = 4
"""Blocks needed per bit of a message before we look for it."""

UNREADABLE_HERE = {
    "SynthID": "by Google, also used by others; its detector isn't public",
    "Stable Signature, Content Seal": "by Meta; the keys in use aren't public",
    "TrustMark": "by Adobe; it points to a record on a server, and fauxto contacts none",
    "Digimarc": "its detector isn't public",
}

_STEP = 36.0

# Offset of the writer's U from ours in the Haar approximation: OpenCV adds 128 for bytes and 0.5 for floats, times two.
_FROM_BYTES, _FROM_FLOATS = 256.0, 1.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message and its writer; `bits` is float64 [L] of 0 and 1."""

    writer: str
    bits: NDArray[np.float64]


def _text(writer: str, text: bytes) -> Message:
    return Message(writer, np.unpackbits(np.frombuffer(text, np.uint8)).astype(np.float64))


def _number(writer: str, number: int) -> Message:
    """Encode a number without leading zeros, as the writers' own `bin(number)[2:]` does."""
    return Message(writer, np.array([int(bit) for bit in f"{number:b}"], np.float64))


_SD1 = _text("Stable Diffusion 1", b"StableDiffusionV1")
_SD1_INPAINTING = _text("Stable Diffusion 1 inpainting", b"StableDiffusionV1-Inpainting")
_SD2 = _text("Stable Diffusion 2", b"SDV2")
_SDXL = _number("Stable Diffusion XL", 0b101100111110110010010000011110111011000110011110)
_FLUX = _number("FLUX", 0b001010101111111010000111100111001111010100101110)
ALL_MESSAGES = (_SD1, _SD1_INPAINTING, _SD2, _SDXL, _FLUX)


@dataclass(frozen=True, slots=True)
class Match:
    """How well a message matches: `strength` in standard errors, `matched` of `message.bits` by majority."""

    message: Message
    method: str
    strength: float
    matched: int


def read(data: bytes, image: Image, limits: Limits) -> Evidence:
    """Look for the known watermarks in the middle of a picture; a match says AI with trust inferred.

    Args:
        data: Not used: the watermarks are in the pixels.
        image: The decoded picture, of any size; at most a million of its pixels are read.
        limits: Not used.
    """
    large_enough = image.scale == 1 and image.rgb.shape[0] * image.rgb.shape[1] >= SMALLEST_PICTURE
    best = max(matches(image.rgb), key=lambda match: match.strength, default=None) if large_enough else None
    details = _details(best)
    if best is None:
        summary = "The picture is too small or too narrow for any invisible watermark that fauxto can read."
        if image.scale > 1:
            summary = "The picture is too large to look for invisible watermarks: it was decoded smaller."
        return Evidence("watermarks", Says.NOTHING, Trust.INFERRED, summary, details)
    if best.strength < THRESHOLD:
        summary = (
            "No invisible watermark of an open model was found. Those of Google (SynthID), Meta, Adobe and Digimarc "
            "may be present, but fauxto can't read them."
        )
        return Evidence("watermarks", Says.NOTHING, Trust.INFERRED, summary, details)
    summary = (
        f"The pixels carry the invisible watermark of {best.message.writer} ({best.matched} of "
        f"{len(best.message.bits)} bits). Anyone can put this watermark into any picture."
    )
    return Evidence("watermarks", Says.AI, Trust.INFERRED, summary, details)


def matches(rgb: NDArray[np.uint8], rotation: int = 0) -> list[Match]:
    """Compare the middle of a picture with every known message.

    Args:
        rgb: uint8 [height, width, 3], neither cropped nor scaled since it was watermarked.
        rotation: Bits by which every message is rotated first. Nobody writes rotated messages, so values other
            than 0 measure chance matches.

    Returns:
        One match per message and method; none for messages too long for the picture.
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
