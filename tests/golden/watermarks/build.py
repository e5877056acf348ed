"""Write the pictures of this folder: a photograph in coarse pixels, marked by the package invisible-watermark itself.

PYTHONPATH=.:src python tests/golden/watermarks/build.py ASTRONAUT.png

The photograph lies in scikit-image's data. Needs what benchmarks/robustness/watermark_detection.py names.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import PIL.Image
from benchmarks.robustness.watermark_detection import WRITERS, mark

FOLDER = Path(__file__).parent

if __name__ == "__main__":
    coarse = np.asarray(PIL.Image.open(sys.argv[1]).convert("RGB"))[::16, ::16]
    picture = coarse.repeat(8, axis=0).repeat(8, axis=1)
    for writer in WRITERS:
        name = writer.lower().replace(" ", "-")
        PIL.Image.fromarray(mark(picture, writer)).save(FOLDER / f"{name}.png", optimize=True)
