"""What a signature leaves out of the file, and whether the picture is signed all the same.

A hard binding (C2PA specification 2.3, 9.2) is the hash that ties a manifest to its file. It leaves out the credential
itself, and may leave out more: cameras exclude EXIF and XMP, so that programs can add to them. Excluded bytes can be
replaced by anyone. So nothing but metadata may be excluded: neither pixels, nor what says how they are decoded.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Ranges = Sequence[tuple[int, int]]
"""Start and end in bytes of parts of a file, in its order."""

# Not the multi-asset hash, which stands beside one of these, nor its parts' own hashes ("c2pa.hash.data.part").
_HARD_BINDING = re.compile(r"c2pa\.hash\.(data|boxes|bmff(\.v[23])?|collection\.data)(__\d+)?")

# Names of boxes as c2pa-rs gives them in JPEG, PNG and WebP.
_METADATA_BOXES = {"C2PA", "APP1", "APP13", "COM", "tEXt", "zTXt", "iTXt", "eXIf", "tIME", "EXIF", "XMP "}

# Boxes of AVIF and HEIF that neither hold pixels nor locate them; the hash covers the offset of every other box.
_METADATA_PATHS = {"/uuid", "/ftyp", "/mfra", "/free", "/skip", "/udta", "/moov/udta"}


def covers_picture(assertions: Mapping[str, Any], parts: Ranges) -> bool:
    """Tell whether a manifest whose hash fits leaves out only its credential and metadata.

    Args:
        assertions: Of the manifest, in c2pa's detailed form.
        parts: Where metadata and the credential lie (`Format.metadata_parts`).
    """
    bindings = {label: assertion for label, assertion in assertions.items() if _HARD_BINDING.fullmatch(label)}
    if len(bindings) != 1:
        return False
    [(label, binding)] = bindings.items()
    if label.startswith("c2pa.hash.data"):
        # A single exclusion is the credential's: c2pa checks its position.
        return len(binding["exclusions"]) == 1 or excludes_only(binding["exclusions"], parts)
    if label.startswith("c2pa.hash.boxes"):
        return _METADATA_BOXES.issuperset(_excluded_boxes(binding["boxes"]))
    # The first version for AVIF and HEIF didn't cover the offsets of boxes.
    return label.startswith("c2pa.hash.bmff.v") and all(
        exclusion["xpath"] in _METADATA_PATHS for exclusion in binding["exclusions"]
    )


def excludes_only(exclusions: Iterable[Mapping[str, Any]], parts: Ranges) -> bool:
    """Tell whether exclusions by position lie in `parts`; one may span several that touch."""
    joined: list[list[int]] = []
    for start, end in parts:
        if joined and joined[-1][1] == start:
            joined[-1][1] = end
        else:
            joined.append([start, end])

    def lies_inside(start: int, end: int) -> bool:
        place = bisect.bisect_right(joined, start, key=lambda part: part[0]) - 1
        return place >= 0 and end <= joined[place][1]

    return all(lies_inside(exclusion["start"], exclusion["start"] + exclusion["length"]) for exclusion in exclusions)


def _excluded_boxes(boxes: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Yield the names of boxes that are excluded, as a whole or in part."""
    for box in boxes:
        if box.get("excluded"):
            yield from box["names"]
        yield from (box["names"][part.get("boxIndex") or 0] for part in box.get("exclusions") or ())
