"""What reading a file's evidence costs beside decoding it, source by source.

python -m benchmarks.evidence [--files FOLDER] [--count N]

Without FOLDER it judges one of scikit-image's photographs, saved as JPEG at three sizes with a camera's EXIF.
Each round reads every source once, one after the other; the figures are medians over the rounds, in milliseconds.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from PIL import ExifTags, Image
from skimage import data

from benchmarks import results
from fauxto import evidence, images
from fauxto.limits import Limits

ROUNDS = 15
MEGAPIXELS = (1, 12, 24)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write results/evidence.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="folder of pictures to use")
    parser.add_argument("--count", type=int, default=20, help="how many of them")
    options = parser.parse_args(arguments)
    rows = {name: _milliseconds(file) for name, file in _files(options.files, options.count).items()}
    columns = list(next(iter(rows.values())))
    print(f"{'milliseconds':30}" + "".join(f"{column[:12]:>14}" for column in columns))
    for name, row in rows.items():
        print(f"{name[:30]:30}" + "".join(f"{row[column]:14.2f}" for column in columns))
    figures = {"rounds": ROUNDS, "milliseconds": rows}
    print(f"wrote {results.write('evidence', figures, ('fauxto', 'c2pa-python', 'numpy', 'pillow')).name}")


def _files(folder: Path | None, count: int) -> dict[str, bytes]:
    if folder:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())[:count]
        return {path.name: path.read_bytes() for path in paths}
    photograph = Image.fromarray(data.astronaut())
    exif = Image.Exif()
    exif.update({ExifTags.Base.Make: "Canon", ExifTags.Base.Model: "Canon EOS 40D"})
    files = {}
    for megapixels in MEGAPIXELS:
        side = round((megapixels * 1e6) ** 0.5)
        buffer = io.BytesIO()
        photograph.resize((side, side), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=90, exif=exif)
        files[f"{megapixels} megapixel JPEG"] = buffer.getvalue()
    return files


def _milliseconds(file: bytes) -> dict[str, float]:
    limits = Limits()
    image = images.decode(file, limits)
    steps = {"decode": lambda: images.decode(file, limits)}
    for name, read in evidence.load_sources().items():
        steps[name] = lambda read=read: read(file, image, limits)
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            started = time.perf_counter()
            step()
            taken[name].append((time.perf_counter() - started) * 1000)
    medians = {name: round(statistics.median(times), 2) for name, times in taken.items()}
    return {**medians, "all evidence": round(sum(medians.values()) - medians["decode"], 2)}


if __name__ == "__main__":
    main()
