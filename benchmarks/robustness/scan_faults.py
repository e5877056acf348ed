"""What goes wrong while a scan runs, a hundred times each: the table equals that of an undisturbed scan in the end.

python -m benchmarks.robustness.scan_faults [--times 100] [--only FAULT...] [--files 120] [--seed 1]

    scan, worker        `kill -9` of the scan, or of a process that judges, at a random moment
    ray-worker, driver  the same of Ray's actor, and of the scan that drives Ray; needs the extra `scale`
    int, term           SIGINT and SIGTERM at a random moment
    full, read-only     each write of journal and table fails from a random one on, with ENOSPC or EROFS
    clock               the clock jumps by years at every look
    changes             the folder's other files come, go, change, become folders, and links lead in circles
    store               a bucket answers 503, cuts its streams or sends them by bits, one time in four

What was stopped goes on with --resume. `full`, `read-only` and `clock` load scan_faults.c before libc and need Linux
and a C compiler; the store speaks S3 on this machine (tests/scan/fake_s3.py). A time takes some 5 seconds, with Ray 40.
Writes results/scan-faults.json after each fault; the others keep there what came of them before.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import PIL.Image
from skimage import data

from benchmarks import results
from benchmarks.robustness import goals
from benchmarks.sessions import command_line, processes

NAME = "scan-faults"
_MODEL = "cifake-resnet"
_PATIENCE = 200.0
_LAST_SECONDS = 1.0  # a scan that is that close to its end may come to it
_RAY_SECONDS = 20.0  # from the start of a scan on Ray to its end, roughly
_STOPPED = (130, -signal.SIGINT, -signal.SIGTERM)


@dataclass
class Fault:
    """What became of one kind of fault: how often the scan was running still, and all that was wrong."""

    times: int = 0
    reached: int = 0
    equal_tables: int = 0
    slowest_exit_seconds: float = 0.0
    broke: list[str] = field(default_factory=list)


@dataclass
class Place:
    """A folder of pictures, and what an undisturbed scan of it writes and takes."""

    folder: Path
    random: random.Random
    table: bytes = b""
    seconds: float = 0.0
    writes: int = 0

    @property
    def out(self) -> Path:
        """The table of the scan at hand."""
        return self.folder / "out" / "table.jsonl"

    def start(self, *arguments: str, source: str = "", **environment: str) -> subprocess.Popen[str]:
        """Start a scan; its folder is made anew unless it resumes one."""
        if "--resume" not in arguments:
            shutil.rmtree(self.out.parent, ignore_errors=True)
            self.out.parent.mkdir()
        command = [sys.executable, "-c", "from fauxto.cli import main; main()", "scan", source or "photos"]
        command += ["--out", str(self.out), "--model", _MODEL, *arguments]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def check(self, fault: Fault, *arguments: str) -> None:
        """Go on with a scan if it isn't at its end, and compare its table."""
        if not self.out.exists() or self.out.with_name(f"{self.out.name}.journal").exists():
            resumed = self.start("--resume", *arguments)
            _, error = resumed.communicate(timeout=_PATIENCE)
            if resumed.returncode:
                fault.broke.append(f"--resume ended with {resumed.returncode}: {error[-300:]}")
        is_equal = self.out.exists() and self.out.read_bytes() == self.table
        fault.equal_tables += is_equal
        if not is_equal:
            fault.broke.append("another table")
        if remains := [path.name for path in self.out.parent.iterdir() if path != self.out]:
            fault.broke.append(f"files are left: {remains}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Try the faults one after the other, print what came of them and write results/scan-faults.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=goals.TIMES)
    parser.add_argument("--only", nargs="+", choices=FAULTS, default=list(FAULTS))
    parser.add_argument("--files", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # scans would inherit that a shell's "&" has it ignored
    about = {"date": f"{datetime.date.today()}", "files": options.files, "seed": options.seed}
    outcomes = _earlier()
    with tempfile.TemporaryDirectory() as temporary:
        place = prepared(Path(temporary), options.files, options.seed)
        for name in options.only:
            fault = Fault()
            try:
                for _ in range(options.times):
                    FAULTS[name](place, fault)
                    fault.times += 1
            except FileNotFoundError as error:
                fault.broke.append(f"not tried: {error.filename} isn't installed")
            outcomes[name] = {**about, **asdict(fault), "broke": fault.broke[:20]}
            print(name, json.dumps(outcomes[name]), flush=True)
            figures = {"model": _MODEL, "faults": outcomes}
            written = results.write(NAME, figures, tuple(filter(find_spec, ("fauxto", "ray", "s3fs"))))
    print(f"wrote {written.name}")
    if disturbed := [name for name in options.only if outcomes[name]["broke"]]:
        raise SystemExit(f"not as it should be: {', '.join(disturbed)}")


def _earlier() -> dict[str, dict[str, Any]]:
    """Return what came of each fault before."""
    faults: dict[str, dict[str, Any]] = results.read(NAME)["faults"] if results.path_of(NAME).exists() else {}
    return faults


def prepared(folder: Path, files: int, seed: int) -> Place:
    """Make the pictures, some of them broken, and scan them undisturbed."""
    photograph = PIL.Image.fromarray(data.astronaut())
    (folder / "photos").mkdir()
    for number in range(files):
        left, top = 37 * number % 448, 53 * number % 448
        path = folder / "photos" / f"{number:04}.jpg"
        photograph.crop((left, top, left + 64, top + 64)).save(path, quality=88)
        if number % 9 == 0:
            path.write_bytes(path.read_bytes()[: 100 * (number % 5)])
    place = Place(folder, random.Random(seed))
    for _ in range(2):  # once more with everything in the system's memory
        started = time.monotonic()
        scan = place.start()
        error = scan.communicate(timeout=_PATIENCE)[1]
        assert scan.returncode == 0, error
        place.seconds = time.monotonic() - started
    place.table = place.out.read_bytes()
    return place


def _killed(place: Place, fault: Fault, *arguments: str, whom: str = "", seconds: float = 0.0) -> None:
    """Kill the scan, or one of its processes whose command line has `whom` in it."""
    scan = place.start(*arguments)
    moment = place.random.uniform(0, seconds or place.seconds)
    if whom:  # they come late, when much of that time is over
        while scan.poll() is None and not _named(scan.pid, whom):
            time.sleep(0.01)
        moment /= 2
    time.sleep(moment)
    victims = _named(scan.pid, whom) if whom else [scan.pid]
    if victims and scan.poll() is None:
        fault.reached += 1
        with contextlib.suppress(ProcessLookupError):
            os.kill(place.random.choice(victims), signal.SIGKILL)
    error = scan.communicate(timeout=_PATIENCE)[1]
    if whom and scan.returncode and "; --resume" not in error:  # Ray may give up, but says how to go on
        fault.broke.append(f"ended with {scan.returncode}: {error[-300:]}")
    started = time.monotonic()
    while processes(scan.pid) and time.monotonic() - started < _PATIENCE:
        time.sleep(0.05)
    fault.slowest_exit_seconds = max(fault.slowest_exit_seconds, time.monotonic() - started)
    place.check(fault)


def _named(scan: int, whom: str) -> list[int]:
    return [pid for pid in processes(scan) if whom in command_line(pid)]


def _stopped(place: Place, fault: Fault, number: signal.Signals) -> None:
    scan = place.start()
    time.sleep(place.random.uniform(0, place.seconds))
    started = time.monotonic()
    was_running = scan.poll() is None
    fault.reached += was_running
    with contextlib.suppress(ProcessLookupError):
        os.killpg(scan.pid, number)  # as a terminal's Ctrl-C: every process of the group gets it
    error = scan.communicate(timeout=_PATIENCE)[1]
    seconds = time.monotonic() - started
    fault.slowest_exit_seconds = max(fault.slowest_exit_seconds, seconds)
    if seconds > goals.EXIT_SECONDS:
        fault.broke.append(f"took {seconds:.1f} seconds to end")
    has_begun = any(place.out.parent.iterdir())  # before, Python and its libraries are being loaded
    if has_begun and (scan.returncode not in (0, *_STOPPED) or "Traceback" in error):
        fault.broke.append(f"ended with {scan.returncode}: {error[-300:]}")
    if was_running and scan.returncode == 0 and seconds > _LAST_SECONDS:
        fault.broke.append(f"went on to its end, {seconds:.1f} seconds later")
    if place.out.exists() and place.out.read_bytes() != place.table:
        fault.broke.append("a table that isn't whole")
    place.check(fault)


def _refused(place: Place, fault: Fault, number: int) -> None:
    """Let every write fail from a random one on; an undisturbed scan makes some 150."""
    after = place.random.randint(1, 150)
    settings = {"FAULT_FOLDER": str(place.out.parent), "FAULT_AFTER": str(after), "FAULT_ERROR": str(number)}
    scan = place.start(LD_PRELOAD=_shim(place), **settings)
    error = scan.communicate(timeout=_PATIENCE)[1]
    fault.reached += scan.returncode != 0
    if scan.returncode not in (0, 2) or (scan.returncode and error.count("\n") != 1):
        fault.broke.append(f"write {after}: ended with {scan.returncode}: {error[-300:]}")
    place.check(fault)


def _jumped(place: Place, fault: Fault) -> None:
    looks = place.folder / "looks"
    looks.unlink(missing_ok=True)
    scan = place.start(LD_PRELOAD=_shim(place), CLOCK_JUMPS=str(looks))
    error = scan.communicate(timeout=_PATIENCE)[1]
    fault.reached += looks.exists()
    if scan.returncode or error:
        fault.broke.append(f"ended with {scan.returncode}: {error[-300:]}")
    place.check(fault)


def _changed(place: Place, fault: Fault) -> None:
    """Compare the rows of what stays; the others need only be rows."""
    moving = place.folder / "photos" / "moving"
    ended = threading.Event()
    picture = place.folder / "photos" / "0001.jpg"
    changing = threading.Thread(target=_change, args=(moving, picture, ended, place.random))
    changing.start()
    try:
        scan = place.start("--follow-symlinks")
        error = scan.communicate(timeout=_PATIENCE)[1]
    finally:
        ended.set()
        changing.join()
        shutil.rmtree(moving, ignore_errors=True)
    if scan.returncode:
        fault.broke.append(f"ended with {scan.returncode}: {error[-300:]}")
        return
    lines = place.out.read_bytes().splitlines(keepends=True)
    lasting = [line for line in lines if b"photos/moving" not in line]
    fault.reached += len(lasting) < len(lines)
    is_equal = b"".join(lasting) == place.table
    fault.equal_tables += is_equal
    if not is_equal:
        fault.broke.append("another table")


def _change(moving: Path, picture: Path, ended: threading.Event, chance: random.Random) -> None:
    content = picture.read_bytes()
    chance = random.Random(chance.random())
    while not ended.is_set():
        path = moving / str(chance.randrange(4)) / f"{chance.randrange(8)}.jpg"
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            what = chance.choice(("picture", "part", "folder", "itself", "up", "through a file", "nothing"))
            targets = {"itself": path, "up": moving, "through a file": picture / "x"}
            if what in targets:
                path.symlink_to(targets[what])
            elif what == "folder":
                path.mkdir()
                (path / "inside.jpg").write_bytes(content)
            elif what != "nothing":
                path.write_bytes(content[: len(content) if what == "picture" else chance.randrange(len(content))])


def _bucket(place: Place, fault: Fault) -> None:
    """Scan a bucket that fails now and then; the rows are those of the folder but for their paths."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "scan"))
    import fake_s3

    troubles = 0

    def trouble(name: str) -> str:
        nonlocal troubles
        if place.random.random() > 0.25:
            return ""
        troubles += 1
        return place.random.choice(("503", "cut", "slow"))

    objects = {f"photos/{path.name}": path.read_bytes() for path in sorted((place.folder / "photos").glob("*.jpg"))}
    keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    with fake_s3.serving(objects, trouble) as endpoint:
        scan = place.start(source="s3://photos", AWS_ENDPOINT_URL=endpoint, HOME=str(place.folder), **keys)
        error = scan.communicate(timeout=_PATIENCE)[1]
    fault.reached += troubles > 0
    if scan.returncode:
        fault.broke.append(f"ended with {scan.returncode}: {error[-300:]}")
        return
    is_equal = place.out.read_bytes().replace(b"s3://photos/", b"photos/") == place.table
    fault.equal_tables += is_equal
    if not is_equal:
        fault.broke.append("another table")


def _shim(place: Place) -> str:
    library = place.folder / "scan_faults.so"
    if not library.exists():
        source = Path(__file__).with_name("scan_faults.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(source), "-o", str(library), "-ldl"], check=True)
    return str(library)


def _on_ray(place: Place, fault: Fault, whom: str) -> None:
    if find_spec("ray") is None:
        raise FileNotFoundError(None, None, "ray")
    _killed(place, fault, "--engine", "ray", "--workers", "2", whom=whom, seconds=0.0 if whom else _RAY_SECONDS)


FAULTS: dict[str, Callable[[Place, Fault], Any]] = {
    "scan": _killed,
    "worker": lambda place, fault: _killed(place, fault, whom="spawn_main"),
    "ray-worker": lambda place, fault: _on_ray(place, fault, "_Judge"),
    "driver": lambda place, fault: _on_ray(place, fault, ""),
    "int": lambda place, fault: _stopped(place, fault, signal.SIGINT),
    "term": lambda place, fault: _stopped(place, fault, signal.SIGTERM),
    "full": lambda place, fault: _refused(place, fault, errno.ENOSPC),
    "read-only": lambda place, fault: _refused(place, fault, errno.EROFS),
    "clock": _jumped,
    "changes": _changed,
    "store": _bucket,
}

if __name__ == "__main__":
    main()
