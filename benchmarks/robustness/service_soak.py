"""A service under load for hours: no answer lost or mixed up, memory, open files and latency flat.

python -m benchmarks.robustness.service_soak [--hours 2] [--clients 8] [--workers 2] [--warm-up 120] [--windows 4]

Each client sends, in a random order that the seed fixes: pictures whose score and sha256 were computed beforehand,
alone and in batches; damaged files of eight formats; uploads that trickle, or stop half way; pictures of 12 megapixels,
files beyond the limit, and bombs that say they have 40,000 x 40,000 pixels. An answer with another sha256 is mixed up,
one with another score wrong, none at all lost. After the warm-up the time falls into windows, and the last is compared
with the first. Needs Linux.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import socket
import statistics
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image
from skimage import data

from benchmarks import results
from benchmarks.robustness import goals
from benchmarks.robustness.service_fuzz import mutated
from benchmarks.running_service import RunningService
from fauxto import Detector
from fauxto.report import Status

SIDES = (32, 48, 64, 200, 600)
HUGE = 4_000, 3_000
MAX_MEGABYTES = 8
CLOSE = 1e-3
"""How far a score may be from the one computed before; a picture's neighbours are far more apart."""
SAMPLE_SECONDS = 2.0
KINDS = {"good": 55, "batch": 10, "hostile": 20, "trickling": 6, "left": 4, "huge": 2, "too_large": 1, "bomb": 2}


@dataclass(frozen=True)
class Picture:
    """A file, and what has to come back for it."""

    data: bytes
    sha256: str
    score: float


@dataclass
class Seen:
    """What the clients saw, and what the service took; times are seconds since the start."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    latencies: list[tuple[float, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    handles: list[tuple[float, float]] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print the windows and write results/service-soak.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=goals.HOURS)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--warm-up", type=float, default=120.0, help="seconds that are in no window")
    parser.add_argument("--windows", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    pictures, huge = good_pictures()
    seconds = 3600 * options.hours
    with tempfile.TemporaryDirectory() as temporary:
        limits = ("--workers", str(options.workers), "--max-megabytes", str(MAX_MEGABYTES))
        with RunningService(*limits, TMPDIR=temporary) as service:
            seen = soak(service, pictures, huge, options.clients, seconds, options.seed)
            replaced = service.figure("fauxto_workers_replaced_total")
        left = len(list(Path(temporary).rglob("*")))
    windows = summary(seen, options.warm_up, seconds, options.windows)
    growth = {name: round(windows[-1][name] / windows[0][name] - 1, 4) for name in goals.SERVICE_GROWTH}
    has_passed = (
        not seen.faults and not left and all(growth[name] <= most for name, most in goals.SERVICE_GROWTH.items())
    )
    figures = {
        "hours": options.hours,
        "clients": options.clients,
        "workers": options.workers,
        "requests": seen.answers.total(),
        "answers": dict(seen.answers.most_common()),
        "faults": dict(seen.faults),
        "workers_replaced": replaced,
        "temporary_files_left": left,
        "windows": windows,
        "growth": growth,
        "passed": has_passed,
    }
    print(json.dumps(figures, indent=1))
    packages = ("fauxto", "fastapi", "uvicorn", "onnxruntime", "pillow")
    print(f"wrote {results.write('service-soak', figures, packages).name}")
    if not has_passed:
        raise SystemExit("not as it should be")


def good_pictures() -> tuple[list[Picture], list[Picture]]:
    """Return small and huge photographs, no two of which have one score, judged by the built-in models."""
    rng = np.random.default_rng(0)
    photographs = [Image.fromarray(photograph) for photograph in (data.astronaut(), data.chelsea(), data.coffee())]
    detector = Detector()

    def judged(picture: Image.Image) -> Picture:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=88)
        report = detector.analyze(file.getvalue())
        if report.score is None:
            raise RuntimeError(f"a good picture has no score: {report.reasons}")
        return Picture(file.getvalue(), hashlib.sha256(file.getvalue()).hexdigest(), report.score)

    small = []
    for side in SIDES:
        for photograph in photographs:
            for _ in range(4):
                left, top = (int(rng.integers(length - 200)) for length in photograph.size)
                small.append(judged(photograph.crop((left, top, left + 200, top + 200)).resize((side, side))))
    return small, [judged(photograph.resize(HUGE)) for photograph in photographs]


def soak(
    service: RunningService, pictures: list[Picture], huge: list[Picture], clients: int, seconds: float, seed: int
) -> Seen:
    """Let the clients ask for so many seconds, and measure the service meanwhile."""
    seen, started = Seen(), time.monotonic()
    threads = [
        threading.Thread(target=_Client(service, pictures, huge, seen, started, seed + number).run, args=(seconds,))
        for number in range(clients)
    ]
    for thread in threads:
        thread.start()
    while (now := time.monotonic() - started) < seconds:
        seen.memory.append((now, sum(service.megabytes().values())))
        seen.handles.append((now, service.handles()))
        print(f"{now:8.0f} s  {seen.answers.total()} answers, {seen.memory[-1][1]:.0f} MB", file=sys.stderr)
        time.sleep(SAMPLE_SECONDS)
    for thread in threads:
        thread.join()
    return seen


def summary(seen: Seen, warm_up: float, seconds: float, windows: int) -> list[dict[str, float]]:
    """Return the windows after the warm-up: medians of memory and open files, latency of single pictures in seconds."""
    length = (seconds - warm_up) / windows

    def within(pairs: list[tuple[float, float]], number: int) -> list[float]:
        start = warm_up + number * length
        return [value for when, value in pairs if start <= when < start + length]

    rows = []
    for number in range(windows):
        latencies = sorted(within(seen.latencies, number))
        rows.append(
            {
                "megabytes": round(statistics.median(within(seen.memory, number)), 1),
                "handles": statistics.median(within(seen.handles, number)),
                "pictures": len(latencies),
                "seconds_median": round(statistics.median(latencies), 3),
                "seconds_p99": round(latencies[int(0.99 * (len(latencies) - 1))], 3),
            }
        )
    return rows


class _Client:
    """One of the clients: a connection of its own, and an order of its own."""

    def __init__(
        self,
        service: RunningService,
        pictures: list[Picture],
        huge: list[Picture],
        seen: Seen,
        started: float,
        seed: int,
    ) -> None:
        self._service, self._pictures, self._huge, self._seen, self._started = service, pictures, huge, seen, started
        self._rng = random.Random(seed)
        self._hostile = mutated(seed, 1 << 40)
        self._http = httpx.Client(base_url=service.address, timeout=300)

    def run(self, seconds: float) -> None:
        """Ask until the time is over; whatever isn't answered is a fault."""
        asks: dict[str, Callable[[], None]] = {kind: getattr(self, f"_ask_{kind}") for kind in KINDS}
        with self._http:
            while time.monotonic() - self._started < seconds:
                (kind,) = self._rng.choices(list(KINDS), list(KINDS.values()))
                try:
                    asks[kind]()
                except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
                    self._seen.faults[f"lost: {kind}: {type(error).__name__}"] += 1

    def _ask_good(self) -> None:
        picture, began = self._rng.choice(self._pictures), time.monotonic()
        if self._expect(picture, self._post(picture.data)):
            self._seen.latencies.append((began - self._started, time.monotonic() - began))

    def _ask_huge(self) -> None:
        picture = self._rng.choice(self._huge)
        self._expect(picture, self._post(picture.data))

    def _ask_trickling(self) -> None:
        picture = self._rng.choice(self._pictures)
        step = len(picture.data) // 6 + 1

        def pieces() -> Any:
            for start in range(0, len(picture.data), step):
                time.sleep(0.3)
                yield picture.data[start : start + step]

        self._expect(picture, self._http.post("/v1/analyze", content=pieces(), headers=_BINARY))

    def _ask_batch(self) -> None:
        pictures = self._rng.choices(self._pictures, k=self._rng.randrange(2, 7))
        answer = self._http.post("/v1/analyze/batch", files=[("files", ("a", each.data)) for each in pictures])
        if answer.status_code != 200:
            self._note(f"status {answer.status_code}", expected=answer.status_code == 503)
            return
        lines = answer.text.splitlines()
        self._seen.faults.update(["lost: rows of a batch"] if len(lines) != len(pictures) else [])
        for picture, line in zip(pictures, lines, strict=False):
            self._compare(picture, json.loads(line))

    def _ask_hostile(self) -> None:
        answer = self._post(next(self._hostile))
        word = answer.json()["status"] if answer.status_code == 200 else f"status {answer.status_code}"
        self._note(word, expected=word in {*Status, "status 400", "status 503", "status 504"})

    def _ask_too_large(self) -> None:
        try:
            answer = self._post(bytes(MAX_MEGABYTES * 1024**2 + 1))
        except (httpx.WriteError, httpx.ReadError):  # it was refused while it was still being sent
            self._note("refused while sent", expected=True)
        else:
            self._note(f"status {answer.status_code}", expected=answer.status_code in (413, 503))

    def _ask_bomb(self) -> None:
        answer = self._post(_BOMB)
        word = answer.json()["status"] if answer.status_code == 200 else f"status {answer.status_code}"
        self._note(word, expected=word in ("too_large", "status 503"))

    def _ask_left(self) -> None:
        """Send half a picture and go."""
        half = self._rng.choice(self._pictures).data
        head = f"POST /v1/analyze HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {2 * len(half)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self._service.port)) as connection:
            connection.sendall(head.encode() + half)
            time.sleep(0.2)
        self._note("left", expected=True)

    def _post(self, data: bytes) -> httpx.Response:
        return self._http.post("/v1/analyze", content=data, headers=_BINARY)

    def _expect(self, picture: Picture, answer: httpx.Response) -> bool:
        if answer.status_code == 503:  # busy, and said so: the client has its answer
            self._note("status 503", expected=True)
            time.sleep(float(answer.headers["retry-after"]))
            return False
        if answer.status_code != 200:
            self._note(f"status {answer.status_code}", expected=False)
            return False
        self._compare(picture, answer.json())
        return True

    def _compare(self, picture: Picture, report: dict[str, Any]) -> None:
        if report["image"] is None or report["image"]["sha256"] != picture.sha256:
            self._note("mixed up" if report["image"] else report["status"], expected=False)
        elif abs(report["score"] - picture.score) > CLOSE:
            self._note("another score", expected=False)
        else:
            self._note("right", expected=True)

    def _note(self, word: str, *, expected: bool) -> None:
        with _LOCK:
            self._seen.answers[word] += 1
            if not expected:
                self._seen.faults[word] += 1


def _bomb() -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")


_BOMB = _bomb()
_BINARY = {"Content-Type": "application/octet-stream"}
_LOCK = threading.Lock()

if __name__ == "__main__":
    main()
