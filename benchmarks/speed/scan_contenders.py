"""Who judges the same files side by side in `scan_throughput`: Pillow, which only decodes them, fauxto and sahu65."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.speed.laid_pictures import copy_apart
from fauxto import Detector
from fauxto.cores import cores
from fauxto.options import DetectorOptions
from fauxto.scan import local
from fauxto.scan.items import Item, Row, judge
from fauxto.scan.journal import Journal
from fauxto.scan.sources import Files

PEER = "sahu65==1.1.0"

_RAY_FILES = 320

_AT_ONCE = 0.02
"""Seconds within which rows have come together."""

_PEER_SCRIPT = """
import json, sys, time
import sahu65
paths = json.load(sys.stdin)
sahu65.warm()
sahu65.detect(paths[0])
started = time.perf_counter(), time.process_time()
for path in paths:
    sahu65.detect(path)
print(json.dumps([time.perf_counter() - started[0], time.process_time() - started[1]]))
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds a picture on all cores together, and of processor time, where that can be told."""

    seconds: float
    processor: float | None


def pillow(files: list[Path]) -> Taken:
    """Only decode, in a thread a core."""
    with ThreadPoolExecutor(cores()) as pool:  # Pillow lets go of Python's lock in its codecs
        started, processor = time.perf_counter(), time.process_time()
        list(pool.map(decode, files))
    return Taken((time.perf_counter() - started) / len(files), (time.process_time() - processor) / len(files))


def fauxto_scan(files: list[Path]) -> Taken:
    """Scan by a process a core; processor time is that of one picture after the other in this process."""
    items = items_of(files)
    detector = Detector.from_options(DetectorOptions(), threads=1)
    judge(items[0], detector)  # opens the network
    processor = time.process_time()
    for item in items:
        judge(item, detector)
    processor = (time.process_time() - processor) / len(items)
    return Taken(steady(local.run(items, DetectorOptions(), cores())), processor)


def ray_scan(files: list[Path]) -> Taken:
    """Judge the files several times over, for Ray takes and gives them in batches."""
    from fauxto.scan import ray

    with tempfile.TemporaryDirectory() as temporary, Journal(Path(temporary, "j"), {}, resume=False) as journal:
        copies = [Path(temporary, f"{number}.jpg") for number in range(max(_RAY_FILES, len(files)))]
        for number, copy in enumerate(copies):
            copy_apart(files[number % len(files)], copy, number)
        return Taken(steady(ray.run([Files(tuple(items_of(copies)))], journal, DetectorOptions())), None)


def peer_python(folder: Path | None) -> Path:
    """Return the Python of sahu65's virtual environment, which is made if need be; or say by an error why not."""
    if folder is None:
        raise RuntimeError("not asked for: name a folder for its virtual environment with --peer")
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    if subprocess.run([python, "-c", "import sahu65"], capture_output=True).returncode:
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    return python


def sahu65_scan(python: Path, files: list[Path]) -> Taken:
    """Let sahu65 judge, which takes all cores for each picture."""
    command = [str(python), "-c", _PEER_SCRIPT]
    paths = json.dumps([str(path) for path in files])
    ended = subprocess.run(command, input=paths, capture_output=True, text=True, check=True)
    seconds, processor = json.loads(ended.stdout)
    return Taken(seconds / len(files), processor / len(files))


def items_of(files: list[Path]) -> list[Item]:
    """Return the files as a scan lists them."""
    return [Item(str(path), str(path), str(path), path.stat().st_size) for path in files]


def steady(rows: Iterator[Row]) -> float:
    """Return the seconds a picture in the middle half of the rows: neither starting nor running dry."""
    came = [time.perf_counter() for _ in rows]
    start, end = came[len(came) // 4], came[3 * len(came) // 4]
    between = sum(start + _AT_ONCE < moment <= end + _AT_ONCE for moment in came)  # Ray hands rows over in batches
    return (end - start) / max(1, between)


def decode(path: Path) -> None:
    """Decode a JPEG to RGB."""
    image = Image.open(io.BytesIO(path.read_bytes()))
    image.load() if image.mode == "RGB" else image.convert("RGB")
