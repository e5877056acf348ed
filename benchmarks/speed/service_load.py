"""What a service takes: 64 clients for 60 seconds, pictures of mixed sizes, beside `fauxto scan` over the same files.

python -m benchmarks.speed.service_load [--files FOLDER] [--clients 64] [--seconds 60] [--queue N] [--workers N]

Without FOLDER it cuts and enlarges scikit-image's photographs: of 100 files, 50 thumbnails of 32 pixels, 30 of half a
megapixel, 17 of 2 and 3 of 12. Each client sends one file after the other over one connection and, when it is told that
the service is busy, waits as long as it is told. The clients run on the same machine and take a part of it. A full line
is measured too, by a service whose line is shorter than its clients are many.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

from benchmarks import results
from benchmarks.running_service import RunningService
from benchmarks.speed import scan_capacity

_SIDES = {32: (32, 32), 512: (832, 624), 2_000: (1_632, 1_224), 12_000: (4_000, 3_000)}
_SHARES = {32: 50, 512: 30, 2_000: 17, 12_000: 3}
_CAP_SERVICE, _CAP_WORKER, _CAP_HELD = 250, 1_100, 512


@dataclass
class Answers:
    """What came back: status codes, seconds of those that were judged, and memory, measured twice a second."""

    codes: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    megabytes: list[dict[str, float]] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write results/service-load.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, help="folder of pictures to use")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--queue", type=int, default=64, help="requests that may wait")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.files or _pictures(Path(temporary) / "pictures")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        bodies = [path.read_bytes() for path in files]
        load = _measure(bodies, options.clients, options.seconds, options.workers, options.queue)
        full = _measure(bodies, options.clients, min(10.0, options.seconds), options.workers, queue=4)
        scan = _scan(files, Path(temporary) / "reports.jsonl", load["pictures"], options.workers)
    cap = _CAP_SERVICE + _CAP_HELD + options.workers * _CAP_WORKER
    figures: dict[str, Any] = {
        "files": len(files),
        "clients": options.clients,
        "workers": options.workers,
        "load": load,
        "full_line": full,
        "fauxto_scan_pictures_per_second": scan,
        "share_of_scan": round(load["pictures_per_second"] / scan, 3),
        "megabytes_cap": cap,
        "under_the_cap": sum(load["megabytes_peak"].values()) < cap,
    }
    for name, value in figures.items():
        print(f"{name:32} {value}")
    packages = ("fauxto", "fastapi", "uvicorn", "onnxruntime", "pillow")
    print(f"wrote {results.write('service-load', figures, packages).name}")
    scan_capacity.main()


def _pictures(folder: Path) -> Path:
    """Write 100 photographs of mixed sizes, in an order that mixes them."""
    rng = np.random.default_rng(0)
    photographs = [Image.fromarray(one) for one in (data.astronaut(), data.chelsea(), data.coffee())]
    folder.mkdir()
    kinds = [kind for kind, share in _SHARES.items() for _ in range(share)]
    for number, kind in enumerate(rng.permutation(kinds)):
        photograph = photographs[number % len(photographs)]
        if kind == 32:
            left, top = (int(rng.integers(side - 32)) for side in photograph.size)
            picture = photograph.crop((left, top, left + 32, top + 32))
        else:
            picture = photograph.resize(_SIDES[int(kind)])
        picture.save(folder / f"{number:03}.jpg", quality=85)
    return folder


def _measure(bodies: list[bytes], clients: int, seconds: float, workers: int, queue: int) -> dict[str, Any]:
    with RunningService("--workers", str(workers), "--queue", str(queue)) as service:
        started = time.perf_counter()
        answers = asyncio.run(_load(service, bodies, clients, seconds))
        took = time.perf_counter() - started
    times = sorted(answers.seconds)
    return {
        "seconds": round(took, 1),
        "queue": queue,
        "answers": {str(code): count for code, count in sorted(answers.codes.items())},
        "pictures": len(times),
        "pictures_per_second": round(len(times) / took, 1),
        "seconds_median": round(statistics.median(times), 3),
        "seconds_p99": round(times[int(0.99 * (len(times) - 1))], 3),
        "megabytes_peak": {part: max(one[part] for one in answers.megabytes) for part in ("service", "workers")},
    }


async def _load(service: RunningService, bodies: list[bytes], clients: int, seconds: float) -> Answers:
    answers = Answers()
    requests = itertools.cycle([_request(body) for body in bodies])
    until = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(_client(service, requests, until, answers))
        group.create_task(_watch(service, until, answers))
    return answers


def _request(body: bytes) -> bytes:
    head = "POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _client(service: RunningService, requests: Iterator[bytes], until: float, answers: Answers) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(next(requests))
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        code = int(head.split(" ", 2)[1])
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(headers["content-length"]))
        answers.codes[code] += 1
        if code == 200:
            answers.seconds.append(time.perf_counter() - started)
        else:
            await asyncio.sleep(float(headers.get("retry-after", 1)))
    writer.close()


async def _watch(service: RunningService, until: float, answers: Answers) -> None:
    while True:
        answers.megabytes.append(service.megabytes())
        if time.perf_counter() >= until:
            return
        await asyncio.sleep(0.5)


def _scan(files: list[Path], out: Path, pictures: int, workers: int) -> float:
    """Return the pictures a second of `fauxto scan` over as many files, its start included.

    Each ends in bytes of its own: a scan judges copies once.
    """
    folder = out.with_name("many")
    folder.mkdir()
    for number, path in zip(range(pictures), itertools.cycle(files), strict=False):
        (folder / f"{number:06}{path.suffix}").write_bytes(path.read_bytes() + number.to_bytes(4, "big"))
    command = [sys.executable, "-c", "from fauxto.cli import main; main()", "scan", str(folder), "--out", str(out)]
    started = time.perf_counter()
    subprocess.run([*command, "--workers", str(workers)], check=True, stderr=subprocess.DEVNULL)
    took = time.perf_counter() - started
    rows = out.read_text(encoding="utf-8").count("\n")
    if rows != pictures:
        raise RuntimeError(f"fauxto scan wrote {rows} rows for {pictures} files")
    return round(pictures / took, 1)


if __name__ == "__main__":
    main()
