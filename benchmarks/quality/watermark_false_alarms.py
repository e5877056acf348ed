"""How often `fauxto.evidence.watermarks` finds a mark in photographs that carry none.

python -m benchmarks.quality.watermark_false_alarms --photos FOLDER [--originals FOLDER]

Each photograph is compared with the known messages as they are, and with the same messages rotated by some of their
bits. Nobody writes rotated messages, so these comparisons, hundreds a picture, show what chance does with the
structure of real pictures: far rarer events than as many photographs could show alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import PIL.Image
import skimage
import sklearn
from numpy.typing import NDArray

from benchmarks import results
from fauxto.evidence import watermarks
from fauxto.images import decode

COLOUR_PHOTOGRAPHS = (
    *(Path(skimage.__file__).parent / "data" / f"{name}.png" for name in ("astronaut", "chelsea", "coffee")),
    *(Path(skimage.__file__).parent / "data" / f"motorcycle_{side}.png" for side in ("left", "right")),
    Path(skimage.__file__).parent / "data" / "rocket.jpg",
    *(Path(sklearn.__file__).parent / "datasets" / "images" / f"{name}.jpg" for name in ("china", "flower")),
)


def measure(files: Iterable[Path], rotations: int) -> dict[str, float]:
    """Compare each picture with the known messages, and with `rotations` rotations of them, drawn at random."""
    generator = np.random.default_rng(5)
    plain: list[float] = []
    rotated: list[float] = []
    pictures = 0
    for file in files:
        rgb = decode(file.read_bytes()).rgb
        plain += strengths(rgb, 0)
        pictures += 1
        for rotation in generator.choice(np.arange(1, 32), rotations, replace=False):
            rotated += strengths(rgb, int(rotation))
    return {
        "pictures": pictures,
        "pictures_with_a_false_alarm": sum(one >= watermarks.THRESHOLD for one in plain),
        "comparisons": len(plain),
        "strongest": round(max(plain), 2),
        "rotated_comparisons": len(rotated),
        "rotated_false_alarms": sum(one >= watermarks.THRESHOLD for one in rotated),
        "rotated_standard_deviation": round(float(np.std(rotated)), 3),
        "rotated_strongest": round(max(rotated), 2),
    }


def strengths(rgb: NDArray[np.uint8], rotation: int) -> list[float]:
    """Return the strength of every match."""
    return [match.strength for match in watermarks.matches(rgb, rotation)]


def is_large_enough(file: Path) -> bool:
    """Tell whether `watermarks.read` would look into the picture at all."""
    with PIL.Image.open(file) as picture:
        return picture.width * picture.height >= watermarks.SMALLEST_PICTURE


def main() -> None:
    """Measure, print and write results/watermark-false-alarms.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of crops: {train,val}/real/*")
    parser.add_argument("--originals", type=Path, help="folder of photographs in full size, searched whole")
    parser.add_argument("--rotations", type=int, default=31, help="rotations of the messages for each picture, 1 to 31")
    parser.add_argument("--most", type=int, help="most pictures of each set")
    options = parser.parse_args()
    sets = {
        "crops of photographs, 256 x 256": sorted(options.photos.glob("train/real/*"))
        + sorted(options.photos.glob("val/real/*")),
        "photographs in scikit-image and scikit-learn": list(COLOUR_PHOTOGRAPHS),
    }
    if options.originals:
        sets["photographs in full size"] = sorted(file for file in options.originals.rglob("*") if file.is_file())
    figures = {}
    for name, files in sets.items():
        if options.most:
            files = files[:: max(1, len(files) // options.most)]
        figures[name] = measure(filter(is_large_enough, files), options.rotations)
        print(f"{name}: {figures[name]}")
    path = results.write(
        "watermark-false-alarms", {"threshold": watermarks.THRESHOLD, "sets": figures}, ("numpy", "pillow")
    )
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
