"""What one ordinary picture costs: a second look at a decoded megapixel, `fauxto check` and the import from cold.

python -m benchmarks.speed.one_picture

Median of several runs each, on a photograph of scikit-image at 1 megapixel and quality 90. The command line runs in a
process of its own, whose peak of resident memory is what the operating system says of it, and so does the import of
`fauxto`, less what an empty Python takes to start. All files are compiled and in the system's cache by then.
"""

from __future__ import annotations

import compileall
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import fauxto
from benchmarks import results
from benchmarks.speed import scan_capacity
from fauxto import Detector, images

ROUNDS = 9

_COLD = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", "from fauxto.cli import main; main()", "check", sys.argv[1]],
               stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def main(arguments: Sequence[str] = ()) -> None:
    """Measure, print and write results/one-picture.json."""
    if arguments:
        sys.exit(__doc__)
    compileall.compile_dir(Path(fauxto.__file__).parent, quiet=1)  # as pip does
    encoded = _megapixel()
    pixels = images.decode(encoded).rgb
    detector = Detector()
    with tempfile.NamedTemporaryFile(suffix=".jpg") as file:
        file.write(encoded)
        file.flush()
        cold = [_cold(Path(file.name)) for _ in range(ROUNDS)]
    figures = {
        "pixels": list(pixels.shape),
        "rounds": ROUNDS,
        "decode_ms": _milliseconds(lambda: images.decode(encoded)),
        "one_view_of_decoded_pixels_ms": _milliseconds(lambda: detector.score_pixels([pixels])),
        "analyze_with_decoding_stability_and_evidence_ms": _milliseconds(lambda: detector.analyze(encoded)),
        "import_ms": round(1000 * (_started("import fauxto") - _started("pass"))),
        "cold_check_seconds": round(statistics.median(seconds for seconds, _ in cold), 2),
        "cold_check_peak_mb": round(max(peak for _, peak in cold) / 1024),
    }
    print(*(f"{name}: {value}" for name, value in figures.items()), sep="\n")
    packages = ("fauxto", "numpy", "onnxruntime", "pillow", "typer")
    print(f"wrote {results.write('one-picture', figures, packages).name}")
    scan_capacity.main()


def _megapixel() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(data.astronaut())).resize((1000, 1000), Image.Resampling.BICUBIC).save(
        file, "JPEG", quality=90
    )
    return file.getvalue()


def _milliseconds(run: Callable[[], object]) -> float:
    run()
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return round(1000 * statistics.median(seconds), 1)


def _cold(file: Path) -> tuple[float, int]:
    """Return the seconds of one cold `fauxto check`, the asking process included, and its peak memory in KiB."""
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", _COLD, file], capture_output=True, text=True, check=True)
    return time.perf_counter() - started, int(done.stdout)


def _started(program: str) -> float:
    """Return the median seconds that Python takes to run a program in a process of its own."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
