"""What judging a picture costs on this machine: per stage, in all, and in memory."""

from __future__ import annotations

import multiprocessing
import os
import random
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import PIL.Image

from fauxto.cores import cores
from fauxto.errors import ConfigError
from fauxto.options import DetectorOptions
from fauxto.report import Report
from fauxto.scan import local
from fauxto.scan.items import Item, report_on
from fauxto.scan.sources import Sources

STAGES = ("decode", "evidence", "model")

MEGAPIXELS = (0.1, 1, 12)
"""Sizes of the pictures that are made where there are none."""

_CLASSES = ((0.5, "under 0.5 MP"), (2, "0.5 to 2 MP"), (8, "2 to 8 MP"), (16, "8 to 16 MP"), (1e9, "over 16 MP"))
_SAMPLES_A_SECOND = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Of the pictures of one class of sizes: how many, and the median milliseconds of each stage on one core."""

    size: str
    pictures: int
    milliseconds: dict[str, float]


@dataclass(frozen=True, slots=True)
class Speed:
    """What was measured.

    Attributes:
        costs: By class of sizes; one picture after the other in one process.
        unjudged: Files that could not be judged; they are in none of the figures.
        workers: Processes of the scan.
        images_per_second: Of the scan, without the start of its processes.
        megapixels_per_second: Likewise.
        peak_megabytes: Resident memory of the scan's processes together, at its highest; None off Linux.
    """

    costs: tuple[Cost, ...]
    unjudged: int
    workers: int
    images_per_second: float
    megapixels_per_second: float
    peak_megabytes: float | None


def measure(sources: Sequence[str], options: DetectorOptions, *, count: int, workers: int | None = None) -> Speed:
    """Judge up to `count` of the files twice: alone in this process for the stages, then as `fauxto scan` does.

    Raises:
        FauxtoError: The model can't be used, or no file could be judged.
    """
    items = list(islice(_items(Sources(sources), options), count))
    from fauxto.detector import Detector

    detector = Detector.from_options(options, threads=1)
    if items:
        report_on(items[0], detector)  # the first picture pays for opening the network
    judged = [(item, report) for item in items if (report := report_on(item, detector)).image]
    if not judged:
        raise ConfigError("none of these files could be judged; fauxto check says why")
    sizes = [report.image.width * report.image.height / 1e6 for _, report in judged if report.image]
    by_class: dict[str, list[Report]] = {}
    for size, (_, report) in zip(sizes, judged, strict=True):
        by_class.setdefault(next(name for most, name in _CLASSES if size < most), []).append(report)
    costs = tuple(_cost(name, by_class[name]) for _, name in _CLASSES if name in by_class)
    workers = workers or cores()
    with peak_memory() as peak:
        images_per_second, megapixels_per_second = _rates([item for item, _ in judged], sizes, options, workers)
    return Speed(
        costs=costs,
        unjudged=len(items) - len(judged),
        workers=workers,
        images_per_second=images_per_second,
        megapixels_per_second=megapixels_per_second,
        peak_megabytes=max(peak) / 1e6 if peak else None,
    )


def make_pictures(folder: Path, each: int = 6) -> list[str]:
    """Write JPEGs of the sizes `MEGAPIXELS`, soft shapes under fine grain, and return their paths."""
    rng = np.random.default_rng(0)
    paths = []
    for megapixels in MEGAPIXELS:
        side = round((megapixels * 1e6) ** 0.5)
        for number in range(each):
            shapes = PIL.Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8))
            smooth = np.asarray(shapes.resize((side, side), PIL.Image.Resampling.BICUBIC), np.int16)
            grain = rng.integers(-6, 7, (side, side, 1), np.int16)
            path = folder / f"{megapixels}-{number}.jpg"
            PIL.Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(path, quality=90)
            paths.append(str(path))
    return paths


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Sample the resident bytes of this process and its children; the list that it gives is empty off Linux."""
    samples: list[int] = []
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(1 / _SAMPLES_A_SECOND):
            children = [child.pid for child in multiprocessing.active_children()]
            resident = [_resident_bytes(pid) for pid in (os.getpid(), *children) if pid]
            if any(resident):
                samples.append(sum(resident))

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield samples
    finally:
        ended.set()
        sampler.join()


def _items(sources: Sources, options: DetectorOptions) -> Iterator[Item]:
    for shard in sources.shards():
        yield from shard.items(options.limits, lambda key: False)


def _cost(size: str, reports: list[Report]) -> Cost:
    times = {stage: [report.milliseconds.get(stage, 0.0) for report in reports] for stage in STAGES}
    return Cost(size, len(reports), {stage: round(statistics.median(each), 2) for stage, each in times.items()})


def _rates(
    items: Sequence[Item], megapixels: Sequence[float], options: DetectorOptions, workers: int
) -> tuple[float, float]:
    """Return images and megapixels per second of a scan; its first third, while processes start, doesn't count."""
    size_of = {item.key: size for item, size in zip(items, megapixels, strict=True)}
    shuffled = random.Random(0).sample(list(items), len(items))  # noqa: S311 (so that all sizes fall on all thirds)
    done: list[str] = []
    started = time.perf_counter()
    for number, row in enumerate(local.run(shuffled, options, workers)):
        if number < len(items) // 3:
            started = time.perf_counter()
        else:
            done.append(row.key)
    seconds = time.perf_counter() - started
    return len(done) / seconds, sum(size_of[key] for key in done) / seconds


def _resident_bytes(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
