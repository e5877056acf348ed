"""How far the probability moves when a large JPEG is decoded at half its width and height instead of in full.

python -m benchmarks.quality.scaled_decoding FOLDER [FOLDER ...] [--count 50]

FOLDERs hold pictures as they were published; the largest JPEGs among them are measured, each by the installed model for
its size. fauxto itself decodes only JPEGs of more than `jpeg.FULL_SIZE` pixels smaller, so these, which are smaller
already, tell more than they need to: the less a picture is reduced on its way to the network, the more the decoder
matters. Writes results/scaled-decoding.json.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import PIL.Image

from benchmarks import results
from fauxto import Detector, images
from fauxto.images import jpeg

BOUND = 0.02
"""Of the difference in probability, for every picture."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Score each picture twice, print the differences, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of pictures")
    parser.add_argument("--count", type=int, default=50, help="how many of the largest JPEGs")
    options = parser.parse_args(arguments)
    sizes = {}
    for path in (path for folder in options.folders for path in folder.rglob("*.jp*g")):
        with PIL.Image.open(path, formats=["JPEG"]) as picture:
            sizes[path] = picture.width * picture.height
    largest = sorted(sizes, key=lambda path: (-sizes[path], path))[: options.count]
    detector = Detector(threads=1)
    differences = []
    for path in largest:
        data = path.read_bytes()
        full = _probability(detector, data)
        with mock.patch.object(jpeg, "FULL_SIZE", sizes[path] - 1):
            smaller = _probability(detector, data)
        differences.append(abs(full - smaller))
        print(f"{sizes[path] / 1e6:5.1f} megapixels: {full:.4f}, at half the sides {smaller:.4f}")
    figures = {
        "pictures": len(largest),
        "megapixels": [round(sizes[path] / 1e6, 1) for path in (largest[0], largest[-1])],
        "bound": BOUND,
        "largest_difference": round(max(differences), 5),
        "mean_difference": round(sum(differences) / len(differences), 5),
        "over_the_bound": sum(difference > BOUND for difference in differences),
    }
    print(figures)
    print(f"wrote {results.write('scaled-decoding', figures, ('fauxto', 'numpy', 'pillow', 'onnxruntime')).name}")


def _probability(detector: Detector, data: bytes) -> float:
    rgb = images.decode(data).rgb
    (score,) = detector.score_pixels([rgb])
    bundle = min(detector.bundles, key=lambda bundle: bundle.domain.distance(min(rgb.shape[:2])))
    return float(bundle.calibration.probability(score[None])[0])


if __name__ == "__main__":
    main()
