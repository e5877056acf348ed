"""Damaged pictures, credentials and archives by the million: each ends in reports with a known status, nothing else.

python -m benchmarks.robustness.hostile_inputs [--count 100000] [--seed 1] [--workers 2] [--progress FILE]
python -m benchmarks.robustness.hostile_inputs --number N [--save FILE]

Input N depends on the seed, N and the installed packages alone (`mutations.hostile`). Pictures go through
`Detector.analyze_many` with evidence, archives through their walker and then each member as well, in worker processes
with a limit on memory and on processor time. The network is the tests' toy, so that parsing takes the time. Every
sixteenth piece of 500 inputs runs under the limits that fauxto ships with; the others may have 4 million pixels, or
filling them would take the time. A piece that ends its worker is done again input by input, so that the culprit is
known.

It goes on where it was stopped: FILE (runs/hostile-inputs.json) keeps what is done. Writes results/hostile-inputs.json
and ends with 1 where an input had no known status. --number runs a single input and prints its reports.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.robustness import seeds
from benchmarks.robustness.hostile_worker import PIECE, Crew, Tally, run_piece
from benchmarks.robustness.mutations import hostile
from fauxto.report import Status

PROGRESS = Path("runs/hostile-inputs.json")
KNOWN = {*Status, "no member"}
_SAVED_EVERY = 10  # seconds


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the inputs that aren't done, print a table and write results/hostile-inputs.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="inputs in all; rounded up to whole pieces")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--max-seconds", type=float, default=30.0, help="processor time of an input")
    parser.add_argument("--max-megabytes", type=int, default=6_000, help="address space of a worker")
    parser.add_argument("--progress", type=Path, default=PROGRESS, help="what is done; goes on from it")
    parser.add_argument("--number", type=int, help="run this input alone, in this process")
    parser.add_argument("--save", type=Path, help="with --number: where to write the input")
    options = parser.parse_args(arguments)
    kinds = {**seeds.pictures(), **seeds.archives()}
    if options.number is not None:
        show(options.seed, options.number, options.save, kinds)
        return
    tally = run(options, kinds)
    figures = summary(tally, options)
    print(table(tally))
    for name in (
        "crashes",
        "exceptions",
        "failed_sources",
        "printed",
        "slowest",
        "peak_megabytes",
        "inputs_per_second",
    ):
        print(f"{name:18} {figures[name]}")
    packages = ("fauxto", "pillow", "pillow-heif", "pillow-jxl-plugin", "c2pa-python", "numpy")
    print(f"wrote {results.write('hostile-inputs', figures, packages).name}")
    if figures["unknown"]:
        raise SystemExit(1)


def show(seed: int, number: int, save: Path | None, kinds: seeds.Kinds) -> None:
    """Run one input here, and print what came of it."""
    kind, data = hostile(seed, number, kinds)
    if save is not None:
        save.write_bytes(data)
    started = time.process_time()
    tally = run_piece(seed, range(number, number + 1), kinds)
    print(f"{kind}, {len(data)} bytes, {time.process_time() - started:.2f} s: {json.dumps(tally.to_dict(), indent=2)}")


def run(options: argparse.Namespace, kinds: seeds.Kinds) -> Tally:
    """Run the pieces that aren't done, and keep what came of each."""
    pieces = range(-(-options.count // PIECE))
    tally, done = _earlier(options.progress, options.seed)
    waiting = [piece for piece in pieces if piece not in done]
    started = saved = time.monotonic()
    seconds = tally.seconds
    with Crew(options.seed, kinds, options.workers, options.max_seconds, options.max_megabytes) as crew:
        for piece, outcome in crew.run(waiting):
            tally.add(outcome)
            done.add(piece)
            now = time.monotonic()
            tally.seconds = seconds + now - started
            if now - saved > _SAVED_EVERY or len(done) == len(pieces):
                saved = now
                _save(options.progress, options.seed, tally, done)
                rate = tally.inputs / tally.seconds
                print(f"{tally.inputs} inputs, {rate:.0f} a second, {len(tally.crashes)} crashes", file=sys.stderr)
    return tally


def _earlier(path: Path, seed: int) -> tuple[Tally, set[int]]:
    if not path.exists():
        return Tally(), set()
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["seed"] != seed:
        raise SystemExit(f"{path} is of seed {kept['seed']}; give that seed, or another --progress")
    return Tally.of(kept["tally"]), set(kept["done"])


def _save(path: Path, seed: int, tally: Tally, done: set[int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    kept = {"seed": seed, "done": sorted(done), "tally": tally.to_dict()}
    unfinished.write_text(json.dumps(kept), encoding="utf-8")
    unfinished.replace(path)


def summary(tally: Tally, options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a run."""
    unknown = sum(
        count for statuses in tally.statuses.values() for word, count in statuses.items() if word not in KNOWN
    )
    plain = tally.to_dict()
    return {
        "inputs": tally.inputs,
        "seed": options.seed,
        "max_seconds": options.max_seconds,
        "max_megabytes": options.max_megabytes,
        "reports": sum(sum(statuses.values()) for statuses in tally.statuses.values()),
        "unknown": unknown + len(tally.crashes) + sum(map(len, tally.exceptions.values())),
        **{name: value for name, value in plain.items() if name != "inputs"},
        "inputs_per_second": round(tally.inputs / max(tally.seconds, 0.001)),
    }


def table(tally: Tally) -> str:
    """Return the statuses by kind, as a table for people."""
    words = Counter[str]()
    for statuses in tally.statuses.values():
        words.update(statuses)
    names = [word for word, _ in words.most_common()]
    lines = [f"{'':8}" + "".join(f"{name:>20}" for name in names)]
    for kind in sorted(tally.statuses):
        lines.append(f"{kind:8}" + "".join(f"{tally.statuses[kind].get(name, 0):20,}" for name in names))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
