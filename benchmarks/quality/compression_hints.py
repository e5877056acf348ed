"""How often `fauxto.evidence.compression` finds traces of an earlier compression, where there was one and where not.

python -m benchmarks.quality.compression_hints --photos FOLDER [--originals FOLDER]

Photographs without a history are made by shrinking: photographs in full size to two fifths, and crops of 256 x 256 to
100 x 100, of which nine at a time are laid together. Then they are compressed once, or twice on the same grid, or once
and kept in a lossless file. For each maker of cameras the script also counts whose quantisation tables its photographs
have.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image

from benchmarks import results
from benchmarks.quality.watermark_false_alarms import COLOUR_PHOTOGRAPHS
from fauxto.evidence import compression
from fauxto.evidence.jpeg_encoder import read_header
from fauxto.evidence.trace_pictures import average_spectrum, spectral_peaks
from fauxto.images import decode
from fauxto.limits import Limits

ONCE = (60, 70, 75, 80, 85, 90, 95, 98)
TWICE = ((60, 85), (75, 85), (75, 90), (75, 95), (85, 90), (85, 95), (95, 98), (85, 75), (90, 75), (95, 85), (98, 90))
LIMITS = Limits()
LANCZOS = PIL.Image.Resampling.LANCZOS


def saved(picture: PIL.Image.Image, format: str, quality: int = 75) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    picture.save(file, format, quality=quality)
    return file.getvalue()


def reopened(data: bytes) -> PIL.Image.Image:
    """Return the picture in a file."""
    return PIL.Image.fromarray(decode(data).rgb)


def trace(data: bytes) -> bool | None:
    """Tell whether a file shows the trace of an earlier compression; None where it can't be measured."""
    found = compression.read(data, decode(data), LIMITS).details["earlier_compression"]
    return None if found["strength"] is None else found["found"]


def shrunk(files: list[Path], share: float) -> Iterator[PIL.Image.Image]:
    """Yield pictures without a history, those that are still large enough to be looked into."""
    for file in files:
        picture = reopened(file.read_bytes())
        small = picture.resize((round(picture.width * share), round(picture.height * share)), LANCZOS)
        if min(small.size) >= compression.SMALLEST_SIDE:
            yield small


def mosaics(files: list[Path]) -> Iterator[PIL.Image.Image]:
    """Yield pictures of 300 x 300 without a history, of nine crops each."""
    for first in range(0, len(files) - 8, 9):
        mosaic = PIL.Image.new("RGB", (300, 300))
        for place, file in enumerate(files[first : first + 9]):
            mosaic.paste(reopened(file.read_bytes()).resize((100, 100), LANCZOS), (place % 3 * 100, place // 3 * 100))
        yield mosaic


def measure(photographs: Iterable[PIL.Image.Image]) -> dict[str, object]:
    """Measure both hints on pictures without a history."""
    traces: dict[str, list[bool | None]] = defaultdict(list)
    pictures = with_peaks = 0
    for picture in photographs:
        pictures += 1
        for quality in ONCE:
            data = saved(picture, "JPEG", quality)
            traces[f"once, {quality}"].append(trace(data))
            traces[f"JPEG {quality} in a PNG"].append(trace(saved(reopened(data), "PNG")))
        for first, second in TWICE:
            data = saved(reopened(saved(picture, "JPEG", first)), "JPEG", second)
            traces[f"twice, {first} then {second}"].append(trace(data))
        never = saved(picture, "PNG")
        traces["never, in a PNG"].append(trace(never))
        with_peaks += bool(spectral_peaks(average_spectrum(decode(never))))
    return {
        "pictures": pictures,
        "with_a_spectral_peak": with_peaks,
        "traces": {
            name: {"found": sum(one is True for one in found), "not_measurable": sum(one is None for one in found)}
            for name, found in traces.items()
        },
    }


def shuffled(files: list[Path]) -> list[Path]:
    """Return the files in an order that is random but always the same."""
    return [files[at] for at in np.random.default_rng(7).permutation(len(files))]


def families_by_maker(photos: Path) -> dict[str, dict[str, int]]:
    """Count the families of quantisation tables over the JPEGs whose original names its camera."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with (photos / "manifest.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["camera"].strip("- ") and row["path"].endswith(".jpg"):
                family = read_header((photos / row["path"]).read_bytes()).family
                counts[row["camera"].split()[0].capitalize()][family.value] += 1
    return {maker: dict(counted) for maker, counted in sorted(counts.items())}


def main() -> None:
    """Measure, print and write results/compression-hints.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of crops: manifest.csv, val/real/*")
    parser.add_argument("--originals", type=Path, help="folder of photographs in full size, searched whole")
    parser.add_argument("--most", type=int, default=300, help="most pictures of each set")
    options = parser.parse_args()
    crops = sorted(options.photos.glob("train/real/*")) + sorted(options.photos.glob("val/real/*"))
    sets = {
        "mosaics of nine crops": mosaics(shuffled(crops)),
        "scikit-image and scikit-learn, shrunk to two thirds": shrunk(list(COLOUR_PHOTOGRAPHS), 2 / 3),
    }
    if options.originals:
        files = shuffled(sorted(file for file in options.originals.rglob("*") if file.is_file()))
        sets["photographs in full size, shrunk to two fifths"] = shrunk(files, 0.4)
    measured = {}
    for name, pictures in sets.items():
        measured[name] = measure(itertools.islice(pictures, options.most))
        print(f"{name}: {measured[name]}")
    thresholds = {"requantised": compression.REQUANTISED, "grid": compression.GRID}
    figures = {"thresholds": thresholds, "sets": measured, "families_by_maker": families_by_maker(options.photos)}
    print(f"wrote {results.write('compression-hints', figures, ('numpy', 'pillow'))}")


if __name__ == "__main__":
    main()
