"""How many pictures that the package invisible-watermark marked `fauxto.evidence.watermarks` recognises.

python -m benchmarks.robustness.watermark_detection --photos FOLDER

Needs the packages invisible-watermark, opencv-python-headless and PyWavelets, which are no part of the project. The
package imports PyTorch for a third method alone, so an empty module stands in for it.
"""

from __future__ import annotations

import argparse
import io
import sys
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from benchmarks import results
from fauxto.evidence import watermarks
from fauxto.images import decode
from fauxto.limits import Limits

sys.modules.setdefault("torch", types.ModuleType("torch"))
from imwatermark import WatermarkDecoder, WatermarkEncoder  # noqa: E402

LIMITS = Limits()
Pixels = NDArray[np.uint8]

MESSAGES = {message.writer: message.bits.astype(int).tolist() for message in watermarks.ALL_MESSAGES}
DELIVERIES: dict[str, tuple[str, dict[str, Any]]] = {
    "lossless": ("PNG", {}),
    "WebP 95": ("WEBP", {"quality": 95}),
    "JPEG 95, 4:4:4": ("JPEG", {"quality": 95, "subsampling": "4:4:4"}),
    "JPEG 95, 4:2:0": ("JPEG", {"quality": 95, "subsampling": "4:2:0"}),
    "JPEG 85, 4:2:0": ("JPEG", {"quality": 85, "subsampling": "4:2:0"}),
    "JPEG 75, 4:2:0": ("JPEG", {"quality": 75, "subsampling": "4:2:0"}),
}
WRITERS = {  # how each writer calls the package: message, method, as bytes, with red and blue as the package wants them
    "Stable Diffusion 1": ("Stable Diffusion 1", "dwtDct", True, True),
    "Stable Diffusion 2": ("Stable Diffusion 2", "dwtDct", True, True),
    "Stable Diffusion XL": ("Stable Diffusion XL", "dwtDct", False, True),
    "Stable Diffusion XL by diffusers": ("Stable Diffusion XL", "dwtDct", False, False),
    "FLUX": ("FLUX", "dwtDct", False, True),
    "dwtDctSvd": ("Stable Diffusion XL", "dwtDctSvd", True, True),
}


def mark(rgb: Pixels, writer: str) -> Pixels:
    """Mark a picture as `writer` does."""
    message, method, as_bytes, as_bgr = WRITERS[writer]
    encoder = WatermarkEncoder()
    encoder.set_watermark("bits", MESSAGES[message])
    order = slice(None, None, -1) if as_bgr else slice(None)
    pixels = np.ascontiguousarray(rgb[..., order], np.uint8 if as_bytes else np.float32)
    marked = encoder.encode(pixels, method)[..., order]
    return np.ascontiguousarray(marked if as_bytes else np.clip(marked, 0, 255), np.uint8)


def packages_own_bits(rgb: Pixels, writer: str) -> float:
    """Return the share of bits that the package itself reads back rightly."""
    message, method, as_bytes, as_bgr = WRITERS[writer]
    order = slice(None, None, -1) if as_bgr else slice(None)
    pixels = np.ascontiguousarray(rgb[..., order], np.uint8 if as_bytes else np.float32)
    found = WatermarkDecoder("bits", len(MESSAGES[message])).decode(pixels, method)
    return float(np.mean(found == np.array(MESSAGES[message])))


def main() -> None:
    """Measure, print and write results/watermark-detection.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True, help="folder of crops: val/{real,ai}/*")
    parser.add_argument("--pictures", type=int, default=200)
    options = parser.parse_args()
    files = sorted(options.photos.glob("val/*/*"))
    files = files[:: len(files) // options.pictures][: options.pictures]
    found: dict[str, dict[str, list[bool]]] = {writer: defaultdict(list) for writer in WRITERS}
    for file in files:
        rgb = decode(file.read_bytes()).rgb
        if rgb.shape[0] * rgb.shape[1] < watermarks.SMALLEST_PICTURE:
            continue
        for writer in WRITERS:
            marked = mark(rgb, writer)
            found[writer]["lossless, 9 bits in 10 as the package reads them"].append(
                packages_own_bits(marked, writer) >= 0.9
            )
            for delivery, (format, delivery_options) in DELIVERIES.items():
                sent = io.BytesIO()
                PIL.Image.fromarray(marked).save(sent, format, **delivery_options)
                evidence = watermarks.read(b"", decode(sent.getvalue()), LIMITS)
                match = evidence.details["strongest_match"]
                found[writer][delivery].append(evidence.says == "ai" and match["message"] == WRITERS[writer][0])
    figures = {
        writer: {delivery: round(float(np.mean(hits)), 3) for delivery, hits in by_delivery.items()}
        for writer, by_delivery in found.items()
    }
    for writer, row in figures.items():
        print(f"{writer}: {row}")
    pictures = len(found["FLUX"]["lossless"])
    path = results.write(
        "watermark-detection",
        {"pictures": pictures, "side": 256, "share_found": figures},
        ("numpy", "pillow", "invisible-watermark", "opencv-python-headless", "PyWavelets"),
    )
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
