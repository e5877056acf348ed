"""Mutated files of eight formats against a running service: only documented answers, no crash, no leak.

python -m benchmarks.robustness.service_fuzz [--count 20000] [--seed 1] [--max-seconds 10]

Each file is a small photograph, with metadata, that some bytes of were changed, cut out, doubled, swapped, set to
numbers that programs stumble over, or exchanged with those of another file. The same seed makes the same files. A few
thousand run in `make test`, most of them through the gate alone.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import httpx

from benchmarks import results
from benchmarks.robustness import goals
from benchmarks.robustness.mutations import damaged
from benchmarks.robustness.seeds import FORMATS, whole_files
from benchmarks.running_service import RunningService
from fauxto.report import Status

_FIRST_MEASURE = 2_000
_CLIENTS = 4


def main(arguments: Sequence[str] | None = None) -> None:
    """Send the files, print what came of them and write results/service-fuzz.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=goals.SENT, help="files to send")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-seconds", type=float, default=10.0, help="for a file; one that takes longer is a hang")
    options = parser.parse_args(arguments)
    with RunningService("--workers", "2", "--max-seconds", str(options.max_seconds)) as service:
        started = time.perf_counter()
        answers, slowest, memory = _send(service, mutated(options.seed, options.count))
        seconds = time.perf_counter() - started
        replaced = service.figure("fauxto_workers_replaced_total")
    first_measure = min(_FIRST_MEASURE, options.count)
    first, last = memory[first_measure], memory[options.count]
    growth = {part: round(last[part] / first[part] - 1, 3) for part in last}
    figures = {
        "files": options.count,
        "seed": options.seed,
        "formats": FORMATS,
        "answers": dict(answers.most_common()),
        "undocumented_answers": sum(answers[word] for word in answers if word not in set(Status)),
        "workers_replaced": replaced,
        "slowest_seconds": round(slowest, 2),
        "first_measure": first_measure,
        "megabytes_then": first,
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
            damaged(data, rng, files)
        yield bytes(data)


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
