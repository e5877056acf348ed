"""What reading a file's evidence costs beside decoding it, source by source.

python -m benchmarks.speed.evidence [--files FOLDER] [--count N]

Judges one of scikit-image's photographs, saved as JPEG at three sizes with what a camera adds: EXIF with a MakerNote, a
place and a thumbnail, and an XMP packet. With FOLDER it also judges N of the files in it, evenly spread, and gives the
median and the slowest of them. Each round reads every source once, one after the other; a file's figures are medians
over its rounds, in milliseconds of CPU time: nothing here waits for anything, and what else the machine does shall not
count.
"""

from __future__ import annotations

import argparse
import functools
import io
import statistics
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational
from skimage import data

from benchmarks import results
from fauxto import evidence, images
from fauxto.limits import Limits

ROUNDS = 15
ROUNDS_OF_MANY = 5
MEGAPIXELS = (1, 12, 24)
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="Camera 1.0" xmp:Rating="0"/>
</rdf:RDF></x:xmpmeta>"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write results/evidence.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="folder of pictures to judge as well")
    parser.add_argument("--count", type=int, default=100, help="how many of them")
    options = parser.parse_args(arguments)
    rows = {name: _milliseconds(file, ROUNDS) for name, file in _photographs()}
    if options.files:
        rows |= _milliseconds_of_many(options.files, options.count)
    columns = list(next(iter(rows.values())))
    print(f"{'milliseconds':30}" + "".join(f"{column[:12]:>14}" for column in columns))
    for name, row in rows.items():
        print(f"{name[:30]:30}" + "".join(f"{row[column]:14.2f}" for column in columns))
    figures = {"rounds": ROUNDS, "milliseconds": rows}
    print(f"wrote {results.write('evidence', figures, ('fauxto', 'c2pa-python', 'numpy', 'pillow')).name}")


def _photographs() -> Iterator[tuple[str, bytes]]:
    photograph = Image.fromarray(data.astronaut())
    block = _exif(photograph)
    for megapixels in MEGAPIXELS:
        side = round((megapixels * 1e6) ** 0.5)
        buffer = io.BytesIO()
        picture = photograph.resize((side, side), Image.Resampling.BICUBIC)
        picture.save(buffer, "JPEG", quality=90, exif=block, xmp=XMP)
        yield f"{megapixels} megapixel JPEG", buffer.getvalue()


def _exif(photograph: Image.Image) -> bytes:
    """Return an EXIF block as a camera writes it; the thumbnail's directory is put behind Pillow's, which has none."""
    exif = Image.Exif()
    exif.endian = ">"
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {ExifTags.Base.ExposureTime: IFDRational(1, 100), ExifTags.Base.MakerNote: bytes(2_000)}
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (59.0, 54.0, 40.0), 3: "E", 4: (10.0, 45.0, 8.0)})
    exif.update({ExifTags.Base.Make: "Canon", ExifTags.Base.Model: "Canon EOS 40D", ExifTags.Base.Software: "1.0"})
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    buffer = io.BytesIO()
    photograph.resize((160, 160)).save(buffer, "JPEG", quality=75)
    thumbnail = buffer.getvalue()
    (first,) = struct.unpack_from(">I", block, 4)
    following = first + 2 + 12 * struct.unpack_from(">H", block, first)[0]
    directory = struct.pack(">HHHIIHHIII", 2, 0x0201, 4, 1, len(block) + 30, 0x0202, 4, 1, len(thumbnail), 0)
    return (
        b"Exif\0\0" + block[:following] + struct.pack(">I", len(block)) + block[following + 4 :] + directory + thumbnail
    )


def _milliseconds_of_many(folder: Path, count: int) -> dict[str, dict[str, float]]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    chosen = paths[:: max(1, len(paths) // count)][:count]
    rows = [_milliseconds(path.read_bytes(), ROUNDS_OF_MANY) for path in chosen]
    return {
        f"median of {len(rows)} files": {
            name: round(statistics.median(row[name] for row in rows), 2) for name in rows[0]
        },
        f"slowest of {len(rows)} files": max(rows, key=lambda row: row["all evidence"]),
    }


def _milliseconds(file: bytes, rounds: int) -> dict[str, float]:
    limits = Limits()
    image = images.decode(file, limits)
    steps: dict[str, Callable[[], object]] = {"decode": functools.partial(images.decode, file, limits)}
    for name, read in evidence.load_sources().items():
        steps[name] = functools.partial(read, file, image, limits)
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            started = time.process_time()
            step()
            taken[name].append((time.process_time() - started) * 1000)
    medians = {name: round(statistics.median(times), 2) for name, times in taken.items()}
    return {**medians, "all evidence": round(sum(medians.values()) - medians["decode"], 2)}


if __name__ == "__main__":
    main()
