"""How far the probability moves when a large JPEG is decoded at half its width and height instead of in full.

python -m benchmarks.quality.scaled_decoding FOLDER [FOLDER ...] [--count 50] [--enlarge]

FOLDERs hold pictures as they were published; the largest JPEGs among them are measured, each by the installed model
for its size. fauxto itself decodes only JPEGs of more than `jpeg.FULL_SIZE` pixels smaller. Few are published, so
smaller ones are measured as they are (the less a picture is reduced on its way to the network, the more the decoder
matters) and, with --enlarge, enlarged to 70 megapixels and saved with quality 95. For comparison, the network's own
view of each picture is measured with noise of one level on a fifth of its values. Writes results/scaled-decoding.json,
or results/scaled-decoding-enlarged.json.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks import results
from fauxto import Detector, images, preprocessing
from fauxto.images import jpeg
from fauxto.limits import Limits

ENLARGED = 70_000_000
LIMITS = Limits(max_full_pixels=2 * ENLARGED)
BOUND = 0.02
"""Of the difference in probability, for every picture."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Score each picture twice, print the differences, and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of pictures")
    parser.add_argument("--count", type=int, default=50, help="how many of the largest JPEGs")
    parser.add_argument("--enlarge", action="store_true", help="enlarge them to 70 megapixels first")
    options = parser.parse_args(arguments)
    sizes = {}
    for path in (path for folder in options.folders for path in folder.rglob("*.jp*g")):
        with PIL.Image.open(path, formats=["JPEG"]) as picture:
            sizes[path] = picture.width * picture.height
    largest = sorted(sizes, key=lambda path: (-sizes[path], path))[: options.count]
    detector = Detector(threads=1)
    dice = np.random.default_rng(0)
    decoding, noise = [], []
    for path in largest:
        data = _enlarged(path) if options.enlarge else path.read_bytes()
        with mock.patch.object(jpeg, "FULL_SIZE", 2 * ENLARGED):
            rgb = images.decode(data, LIMITS).rgb
        full = _probability(detector, rgb)
        with mock.patch.object(jpeg, "FULL_SIZE", rgb.size // 3 - 1):
            smaller = _probability(detector, images.decode(data).rgb)
        decoding.append(abs(full - smaller))
        view = preprocessing.resize(rgb, 224, 224)
        change = dice.integers(-1, 2, view.shape) * (dice.random(view.shape) < 0.3)
        noisy = np.clip(view + change, 0, 255).astype(np.uint8)
        noise.append(abs(_probability(detector, view) - _probability(detector, noisy)))
        print(f"{rgb.size / 3e6:5.1f} megapixels: {full:.4f}, at half the sides {smaller:.4f}", flush=True)
    figures = {
        "pictures": len(largest),
        "megapixels": [round(sizes[path] / 1e6, 1) for path in (largest[0], largest[-1])],
        "bound": BOUND,
        "decoded_at_half_the_sides": _differences(decoding),
        "noise_of_one_level_on_a_fifth": _differences(noise),
    }
    print(figures)
    name = "scaled-decoding-enlarged" if options.enlarge else "scaled-decoding"
    print(f"wrote {results.write(name, figures, ('fauxto', 'numpy', 'pillow', 'onnxruntime')).name}")


def _enlarged(path: Path) -> bytes:
    with PIL.Image.open(path, formats=["JPEG"]) as picture:
        factor = (ENLARGED / (picture.width * picture.height)) ** 0.5
        size = (round(picture.width * factor), round(picture.height * factor))
        file = io.BytesIO()
        picture.convert("RGB").resize(size, PIL.Image.Resampling.BICUBIC).save(file, "JPEG", quality=95)
        return file.getvalue()


def _differences(values: Sequence[float]) -> dict[str, float]:
    return {
        "median": round(float(np.median(values)), 5),
        "mean": round(float(np.mean(values)), 5),
        "largest": round(max(values), 5),
        "over_the_bound": sum(value > BOUND for value in values),
    }


def _probability(detector: Detector, rgb: NDArray[np.uint8]) -> float:
    (score,) = detector.score_pixels([rgb])
    bundle = min(detector.bundles, key=lambda bundle: bundle.domain.distance(min(rgb.shape[:2])))
    return float(bundle.calibration.probability(score[None])[0])


if __name__ == "__main__":
    main()
