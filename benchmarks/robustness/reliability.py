"""Write docs/explanation/reliability.md from what the benchmarks of this folder found; it has no figure typed by hand.

python -m benchmarks.robustness.reliability
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.robustness import goals

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "reliability.md"

INTRODUCTION = """# Reliability: what we broke on purpose, and what came of it

This page is written by `python -m benchmarks.robustness.reliability` from what the benchmarks that it names found
([results](../../benchmarks/results)); each can be run again. The tests try smaller versions of most of it on every
change; [the threat model](threat-model.md) says which test stands against which threat.
"""

FAULTS = {
    "scan": "`kill -9` of the scan",
    "worker": "`kill -9` of a process that judges",
    "ray-worker": "`kill -9` of one of Ray's actors",
    "driver": "`kill -9` of the scan that drives Ray",
    "int": "SIGINT, as by Ctrl-C",
    "term": "SIGTERM",
    "full": "the disk is full from some write on",
    "read-only": "the disk is read-only from some write on",
    "clock": "the clock jumps by years",
    "changes": "the folder changes meanwhile",
    "store": "the bucket answers 503, cuts or dribbles",
}
STATUSES = ("ok", "unreadable", "truncated", "unsupported_format", "too_large", "unsupported_mode", "not_a_file")
READERS = ("pandas", "DuckDB")


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")


def page() -> str:
    """Return the whole page."""
    sections = (_hostile_inputs, _fuzzed_readers, _fuzzed_service, _soaks, _faults, _million)
    return "\n".join([INTRODUCTION, *(paragraph for section in sections for paragraph in section())])


def _hostile_inputs() -> Iterator[str]:
    found = results.read("hostile-inputs")
    (slowest, _), (most, _) = found["slowest"][0], found["peak_megabytes"]
    columns = (*STATUSES, "no member")
    is_whole = found["inputs"] >= goals.INPUTS and not (found["unknown"] or found["crashes"] or found["exceptions"])
    yield "## Damaged and hostile files\n"
    yield results.paragraph(
        f"""{found["inputs"]:,} pictures, credentials and archives, changed where it hurts: chunks, segments, boxes,
        offsets and lengths. They went through `Detector.analyze_many` and the readers of archives (`hostile_inputs`).
        Of the {found["reports"]:,} outcomes (a report for each picture and each member of an archive, or "no member"
        for an archive that has none), {found["unknown"]:,} had a status that isn't documented. Processes that crashed:
        {_count(found["crashes"])}; exceptions: {_count(found["exceptions"])}. The slowest input took
        {slowest:.2f} seconds, the largest process {most:,} MB. Goal: {goals.INPUTS:,} inputs, each of which ends in
        documented outcomes; {results.reached(is_whole)}."""
    )
    yield results.table(
        ("kind", *(f"`{status}`" if status in STATUSES else status for status in columns)),
        [
            (kind, *(f"{statuses.get(status, 0):,}" for status in columns))
            for kind, statuses in found["statuses"].items()
        ],
    )


def _fuzzed_readers() -> Iterator[str]:
    targets = results.read("walker-fuzz")["targets"]
    runs = sum(one["runs"] for one in targets.values())
    defects = sum(len(one["defects"]) for one in targets.values())
    short = sum(one["seconds"] < goals.FUZZED_SECONDS for one in targets.values())
    yield "## Our readers under a fuzzer\n"
    yield results.paragraph(
        f"""Each of our own readers of bytes under [atheris](https://github.com/google/atheris), which looks for inputs
        that reach new code (`walker_fuzz`). A defect is an exception that isn't documented, more than five seconds, or
        more than two gigabytes. All together: {runs:,} runs, {defects} defects. Goal:
        {goals.FUZZED_SECONDS // 60} minutes each, no defect; {results.reached(not short and not defects)}."""
    )
    yield results.table(
        ("reader", "minutes", "runs", "memory, MB", "defects"),
        [
            (name, f"{one['seconds'] / 60:.0f}", f"{one['runs']:,}", one["peak_megabytes"], len(one["defects"]))
            for name, one in targets.items()
        ],
    )


def _fuzzed_service() -> Iterator[str]:
    found = results.read("service-fuzz")
    growth = {part: last / found["megabytes_then"][part] - 1 for part, last in found["megabytes_at_the_end"].items()}
    most = goals.SERVICE_GROWTH["megabytes"]
    is_whole = not found["undocumented_answers"] and not found["workers_replaced"]
    has_passed = found["files"] >= goals.SENT and is_whole and max(growth.values()) <= most
    yield "## A service that is sent damaged files\n"
    yield results.paragraph(
        f"""{found["files"]:,} damaged files in {len(found["formats"])} formats (`service_fuzz`). Answers that aren't
        documented: {found["undocumented_answers"]}; workers replaced: {found["workers_replaced"]:.0f}; slowest answer:
        {found["slowest_seconds"]:.1f} seconds. From the {found["first_measure"]:,}th file to the last, the memory of
        the service grew by {100 * growth["service"]:.1f} % and that of its workers by {100 * growth["workers"]:.1f} %.
        Goal: {goals.SENT:,} files, documented answers only, no worker replaced, at most {100 * most:.0f} % more memory;
        {results.reached(has_passed)}."""
    )


def _soaks() -> Iterator[str]:
    service, web = results.read("service-soak"), results.read("page-soak")
    yield "## For hours, and for hundreds of sessions\n"
    yield results.paragraph(
        f"""**The service**, {service["hours"]:g} hours under {service["clients"]} clients that send good, damaged and
        huge pictures, and uploads that trickle or break off (`service_soak`): {service["requests"]:,} requests.
        {service["answers"]["right"]:,} answers matched a score and a sha256 that were computed beforehand; lost, mixed
        up or wrong: {_count(service["faults"])}. Cores: {service["made_by"]["cores"]}; workers: {service["workers"]},
        replaced: {service["workers_replaced"]:.0f}; temporary files left: {service["temporary_files_left"]}. By
        quarters of the time after a warm-up, *pictures* being the good ones that were sent alone:"""
    )
    yield results.table(
        ("quarter", "pictures", "memory, MB", "open files", "median latency, s", "99th percentile, s"),
        [
            (
                number,
                f"{one['pictures']:,}",
                one["megabytes"],
                f"{one['handles']:.0f}",
                f"{one['seconds_median']:.1f}",
                f"{one['seconds_p99']:.1f}",
            )
            for number, one in enumerate(service["windows"], 1)
        ],
    )
    is_safe = service["hours"] >= goals.HOURS and not service["faults"] and not service["temporary_files_left"]
    growth = {name: service["windows"][-1][name] / service["windows"][0][name] - 1 for name in goals.SERVICE_GROWTH}
    is_flat = all(growth[name] <= goals.SERVICE_GROWTH[name] for name in ("megabytes", "handles"))
    percent = {name: f"{100 * most:.0f} %" for name, most in goals.SERVICE_GROWTH.items()}
    is_steady = growth["seconds_p99"] <= goals.SERVICE_GROWTH["seconds_p99"]
    yield results.paragraph(
        f"""Goals, from the first quarter to the last: {goals.HOURS:g} hours, nothing lost, mixed up or left;
        {results.reached(is_safe)}. At most {percent["megabytes"]} more memory and open files;
        {results.reached(is_flat)}. The 99th percentile of latency at most {percent["seconds_p99"]} higher;
        {results.reached(is_steady)} ({100 * growth["seconds_p99"]:+.0f} %), which tells something only where
        no other work ran on its cores."""
    )
    first, last = web["handles"]
    has_passed = web["passed"] and web["sessions"] >= goals.SESSIONS
    yield results.paragraph(
        f"""**The page**, {web["sessions"]} sessions one after the other in a real browser, each with a picture
        (`page_soak`): {web["megabytes_first_quarter"]:.0f} MB in the first quarter and
        {web["megabytes_last_quarter"]:.0f} MB in the last, without the {web["kept_megabytes_a_session"]:.2f} MB that
        the page keeps of each for half an hour, on purpose; temporary files left: {web["temporary_files_left"]}. Goal:
        {goals.SESSIONS} sessions with one and the same verdict, at most {100 * goals.PAGE_GROWTH:.0f} % more memory at
        the end, no temporary file left; {results.reached(has_passed)} ({100 * web["growth"]:+.1f} %). Open files, for
        which there is no goal: {first} at first and {last} at last."""
    )


def _faults() -> Iterator[str]:
    found = results.read("scan-faults")
    whole = {
        name
        for name, one in found["faults"].items()
        if one["equal_tables"] >= goals.TIMES and one["reached"] >= goals.MET and not one["broke"]
    }
    yield "## Scans that are disturbed\n"
    yield results.paragraph(
        f"""Kills, signals and refused writes come at random moments; the clock, the folder and the bucket misbehave all
        the time. A scan that stopped goes on with `--resume` (`scan_faults`). *Met* counts the times that the scan was
        still running or noticed it, *equal* those after which the table was, row for row, that of an undisturbed scan;
        the slowest end is, after a signal, how long the scan took to end, and after a kill, how long its last process
        outlived it. Goal: {goals.TIMES} times each, met in half of them, all equal, and an end within
        {goals.EXIT_SECONDS:g} seconds of SIGINT and SIGTERM;
        {results.reached(whole >= FAULTS.keys())}{_in_brackets(FAULTS.keys() - whole)}."""
    )
    yield results.table(
        ("what happens", "times", "met", "equal", "slowest end, s", "what broke"),
        [(what, *_fault(found["faults"].get(name))) for name, what in FAULTS.items()],
    )


def _in_brackets(names: Set[str]) -> str:
    return f" ({', '.join(FAULTS[name] for name in FAULTS if name in names)})" if names else ""


def _fault(one: dict[str, Any] | None) -> tuple[object, ...]:
    if one is None:
        return 0, "–", "–", "–", "not tried"
    seconds = f"{one['slowest_exit_seconds']:.1f}" if one["slowest_exit_seconds"] else "–"
    return one["times"], one["reached"], one["equal_tables"], seconds, "; ".join(one["broke"]) or "nothing"


def _million() -> Iterator[str]:
    found = results.read("million-rows")
    is_quick = all(found["goals_met"].values()) and found["scans"][-1]["files"] >= goals.ROWS
    yield "## A million files\n"
    yield results.paragraph(
        f"""Links to {found["pictures"]} thumbnails, each of which is judged once; for the other links its result is
        used again, so that a larger scan writes more rows a second. They are scanned with `{found["model"]}`
        (`million_rows`). The larger scan's peak of memory is {found["memory_growth"]:.3f} times the smaller one's.
        `--resume` is the wait until a scan goes on that was stopped shortly before its end; each table is written after
        that. Goal: {goals.ROWS:,} files in at most {goals.ROWS_MEMORY} times the memory, `--resume` within
        {goals.RESUME_SECONDS:.0f} seconds; {results.reached(is_quick)}."""
    )
    yield results.table(
        ("files", "scan, s", "memory, MB", "`--resume`, s", "Parquet, s", "JSON Lines, s", "CSV, s", *READERS),
        [
            (
                f"{one['files']:,}",
                *(f"{one[name]:.0f}" for name in ("scan_seconds", "peak_megabytes", "resume_seconds")),
                *(f"{one['write_seconds'][name]:.0f}" for name in ("parquet", "jsonl", "csv")),
                *(one["readers"][reader] for reader in READERS),
            )
            for one in found["scans"]
        ],
    )


def _count(by_kind: dict[str, Any]) -> int:
    return sum(value if isinstance(value, int) else len(value) for value in by_kind.values())


if __name__ == "__main__":
    main()
