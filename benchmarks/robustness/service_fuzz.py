"""Mutated files of eight formats against a running service: only documented answers, no crash, no leak.

python -m benchmarks.robustness.service_fuzz [--count 20000] [--seed 1] [--max-seconds 10]

Each file is a small photograph, with metadata, that some bytes of were changed, cut out, doubled, swapped, set to
numbers that programs stumble over, or exchanged with those of another file. The same seed makes the same files. A few
thousand run in `make test`, most of them through the gate alone.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import httpx
import numpy as np
import PIL.Image

from benchmarks import results
from benchmarks.running_service import RunningService
from fauxto.report import Status

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
_STUMBLES = [
    b"\0" * 4,
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\x80",
    b"\1\0\0\0",
]
_FIRST_MEASURE = 2_000
_CLIENTS = 4
_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'


def main(arguments: Sequence[str] | None = None) -> None:
    """Send the files, print what came of them and write results/service-fuzz.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000, help="files to send")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-seconds", type=float, default=10.0, help="for a file; one that takes longer is a hang")
    options = parser.parse_args(arguments)
    with RunningService("--workers", "2", "--max-seconds", str(options.max_seconds)) as service:
        started = time.perf_counter()
        answers, slowest, memory = _send(service, mutated(options.seed, options.count))
        seconds = time.perf_counter() - started
        replaced = service.figure("fauxto_workers_replaced_total")
    first, last = memory[min(_FIRST_MEASURE, options.count)], memory[options.count]
    growth = {part: round(last[part] / first[part] - 1, 3) for part in last}
    figures = {
        "files": options.count,
        "seed": options.seed,
        "formats": FORMATS,
        "answers": dict(answers.most_common()),
        "undocumented_answers": sum(answers[one] for one in answers if one not in set(Status)),
        "workers_replaced": replaced,
        "slowest_seconds": round(slowest, 2),
        "megabytes_after_2000": first,
        "megabytes_at_the_end": last,
        "growth": growth,
        "files_per_second": round(options.count / seconds),
    }
    for name, value in figures.items():
        print(f"{name:22} {value}")
    packages = ("fauxto", "pillow", "pillow-heif", "fastapi", "uvicorn")
    print(f"wrote {results.write('service-fuzz', figures, packages).name}")


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """Give `count` mutated files, the formats in turn."""
    rng = random.Random(seed)
    files = whole_files()
    for number in range(count):
        data = bytearray(files[number % len(files)])
        for _ in range(rng.choice((1, 1, 2, 4, 16))):
            rng.choice(_MUTATIONS)(data, rng, files)
        yield bytes(data)


def whole_files() -> list[bytes]:
    """Return one undamaged file of each format, with metadata where it has a place."""
    from pillow_heif import from_pillow
    from skimage import data

    picture = PIL.Image.fromarray(np.ascontiguousarray(data.astronaut()[100:148, 100:164]))
    exif = PIL.Image.Exif()
    exif.update({271: "Canon", 274: 6, 305: "a program", 315: "Ann"})
    files = []
    for format in FORMATS:
        file = io.BytesIO()
        options: dict[str, Any] = {} if format in ("GIF", "BMP") else {"exif": exif.tobytes()}
        if format in ("JPEG", "WEBP", "AVIF"):
            options["xmp"] = _XMP
        if format == "GIF":
            options |= {"save_all": True, "append_images": [picture.rotate(90)]}
        if format == "HEIF":
            from_pillow(picture).save(file, **options)
        else:
            picture.save(file, format, **options)
        files.append(file.getvalue())
    return files


def _change(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _overwrite(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    place = _place(data, rng)
    data[place : place + 4] = rng.choice(_STUMBLES)


def _cut_out(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    place = _place(data, rng)
    del data[place : place + rng.randrange(1, 200)]


def _cut_off(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    del data[_place(data, rng) :]


def _double(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    place = _place(data, rng)
    data[place:place] = data[place : place + rng.randrange(1, 500)] * rng.choice((1, 2, 50))


def _splice(data: bytearray, rng: random.Random, files: list[bytes]) -> None:
    other = rng.choice(files)
    place, start = _place(data, rng), rng.randrange(len(other))
    length = rng.randrange(1, 500)
    data[place : place + length] = other[start : start + length]


def _noise(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    place = _place(data, rng)
    data[place : place + 8] = rng.randbytes(8)


_MUTATIONS: tuple[Callable[[bytearray, random.Random, list[bytes]], None], ...] = (
    _change,
    _change,
    _overwrite,
    _cut_out,
    _cut_off,
    _double,
    _splice,
    _noise,
)


def _place(data: bytearray, rng: random.Random) -> int:
    """Choose a place, every other time among the headers."""
    return rng.randrange(min(len(data), 200) + 1) if rng.random() < 0.5 else rng.randrange(len(data) + 1)


def _send(service: RunningService, files: Iterator[bytes]) -> tuple[Counter[str], float, dict[int, dict[str, float]]]:
    """Send all files; return the answers by word, the slowest in seconds, and the memory at some counts."""
    answers: Counter[str] = Counter()
    slowest = 0.0
    memory: dict[int, dict[str, float]] = {}
    here = threading.local()

    def ask(data: bytes) -> tuple[str, float]:
        if not hasattr(here, "client"):
            here.client = httpx.Client(base_url=service.address, timeout=300)
        started = time.perf_counter()
        answer = here.client.post("/v1/analyze", files={"file": ("picture", data)})
        word = answer.json()["status"] if answer.status_code == 200 else f"status {answer.status_code}"
        return word, time.perf_counter() - started

    sent = 0
    with ThreadPoolExecutor(_CLIENTS) as pool:
        while group := list(islice(files, 500)):
            for word, seconds in pool.map(ask, group):
                answers[word] += 1
                slowest = max(slowest, seconds)
            sent += len(group)
            memory[sent] = service.megabytes()
            print(f"{sent} files, {memory[sent]} megabytes", file=sys.stderr)
    return answers, slowest, memory


if __name__ == "__main__":
    main()
