"""How many thumbnails a second fauxto judges, beside what merely decoding them costs.

python -m benchmarks.speed.thumbnails [--files FOLDER] [--count N] [--model NAME ...]

Without FOLDER it cuts 32-pixel windows out of scikit-image's photographs and saves them as JPEG, as CIFAKE has them.
Each round runs every contender once, one after the other, so that a slow moment of the machine falls on all alike;
the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from benchmarks import results
from fauxto import Detector, bundles, images

ROUNDS = 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write results/thumbnails.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="folder of pictures to use")
    parser.add_argument("--count", type=int, default=4000, help="how many of them")
    parser.add_argument("--model", nargs="*", default=bundles.names(), help="bundles to measure")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.files or _windows(Path(temporary), options.count)
        files = sorted(path for path in folder.rglob("*") if path.is_file())[: options.count]
        rates = _rates(files, _contenders(options.model))
    bare = rates["Pillow, decoding only"]
    rows = {
        name: {"images_per_second": round(rate), "times_bare_decoding": round(bare / rate, 2)}
        for name, rate in rates.items()
    }
    print(f"{len(files):,} files, median of {ROUNDS} rounds")
    for name, row in rows.items():
        print(f"{name:42} {row['images_per_second']:7,} images/s  {row['times_bare_decoding']:6.2f} x bare decoding")
    figures = {"files": len(files), "rounds": ROUNDS, "rows": rows}
    print(f"wrote {results.write('thumbnails', figures, ('fauxto', 'numpy', 'onnxruntime', 'pillow')).name}")


def _windows(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    photographs = [data.astronaut(), data.chelsea(), data.coffee()]
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        top, left = (int(rng.integers(side - 32)) for side in photograph.shape[:2])
        Image.fromarray(photograph[top : top + 32, left : left + 32]).save(folder / f"{number:05}.jpg", quality=75)
    return folder


def _contenders(models: Sequence[str]) -> dict[str, Callable[[list[Path]], None]]:
    def pillow(files: list[Path]) -> None:
        for path in files:
            Image.open(io.BytesIO(path.read_bytes())).convert("RGB")

    def gate(files: list[Path]) -> None:
        for path in files:
            images.decode(path.read_bytes())

    def judged_by(model: str) -> Callable[[list[Path]], None]:
        detector = Detector(model)

        def judge(files: list[Path]) -> None:
            for report in detector.analyze_many(files):
                if report.status != "ok":
                    raise RuntimeError(f"{report.path}: {report.reasons}")

        return judge

    return {
        "Pillow, decoding only": pillow,
        "fauxto.images.decode": gate,
        **{f"Detector.analyze_many, {model}": judged_by(model) for model in models},
    }


def _rates(files: list[Path], contenders: dict[str, Callable[[list[Path]], None]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for run in contenders.values():
        run(files[:64])  # opens the session and warms the page cache
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            started = time.perf_counter()
            run(files)
            seconds[name].append(time.perf_counter() - started)
    return {name: len(files) / statistics.median(times) for name, times in seconds.items()}


if __name__ == "__main__":
    main()
