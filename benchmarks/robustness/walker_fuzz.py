"""Each of our readers of bytes under a coverage-guided fuzzer: no exception but the documented ones, nothing slow.

python -m benchmarks.robustness.walker_fuzz [--seconds 60] [--only NAME ...] [--corpus FOLDER]

Needs atheris (Google's fuzzer for Python, on libFuzzer), which isn't among the project's dependencies: without it, the
script says so and writes nothing. Each target starts from the whole files in `seeds.py`, and FOLDER (runs/walker-fuzz)
keeps what reached new code, so that the next run goes on from there. An input that takes longer than five seconds or
two gigabytes counts as a defect, as an exception does; libFuzzer leaves it in FOLDER as NAME-crash-... or the like.
Writes results/walker-fuzz.json, in which other targets keep what came of them before, and ends with 1 where there was
a defect.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import results

NAME = "walker-fuzz"
CORPUS = Path("runs/walker-fuzz")
MAX_BYTES = 8_192
_FUZZER = "atheris"
_FIGURES = {
    "runs": r"number_of_executed_units:\s+(\d+)",
    "runs_per_second": r"average_exec_per_sec:\s+(\d+)",
    "peak_megabytes": r"peak_rss_mb:\s+(\d+)",
    "coverage": r"(?s:.*)cov: (\d+)",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the targets one after the other, print what came of them and write results/walker-fuzz.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these targets")
    parser.add_argument("--corpus", type=Path, default=CORPUS, help="where inputs are kept")
    options = parser.parse_args(arguments)
    if importlib.util.find_spec(_FUZZER) is None:
        raise SystemExit(f"{_FUZZER} isn't installed: pip install {_FUZZER} (it is no dependency of the project)")
    from benchmarks.robustness.walker_targets import TARGETS

    names = options.only or list(TARGETS)
    if unknown := set(names) - TARGETS.keys():
        raise SystemExit(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    outcomes = _earlier()
    for name in names:
        outcome = run(name, options.corpus / name, options.seconds)
        about = {"date": f"{datetime.date.today()}", "python": platform.python_version(), "seconds": options.seconds}
        outcomes[name] = {**about, **outcome}
        print(f"{name:20}" + "  ".join(f"{key} {value}" for key, value in outcomes[name].items()), flush=True)
        written = results.write(NAME, {"targets": outcomes}, ("fauxto", "pillow", _FUZZER))
    print(f"wrote {written.name}")
    if defective := [name for name, outcome in outcomes.items() if outcome["defects"]]:
        raise SystemExit(f"defects in {', '.join(defective)}")


def _earlier() -> dict[str, dict[str, Any]]:
    """Return what came of each target before, of those that there are."""
    from benchmarks.robustness.walker_targets import TARGETS

    targets: dict[str, dict[str, Any]] = results.read(NAME)["targets"] if results.path_of(NAME).exists() else {}
    return {name: outcome for name, outcome in targets.items() if name in TARGETS}


def run(name: str, corpus: Path, seconds: int) -> dict[str, Any]:
    """Run one target in a process of its own, and return its figures."""
    corpus.mkdir(parents=True, exist_ok=True)
    flags = (
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES}",
        "-timeout=5",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-reload=0",
        f"-artifact_prefix={corpus}-",
    )
    child = f"from {__spec__.name if __spec__ else __name__} import fuzz; fuzz()"
    command = [sys.executable, "-c", child, name, *flags, str(corpus)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, errors="replace")
    output = ended.stdout + ended.stderr
    found = {key: re.search(pattern, output) for key, pattern in _FIGURES.items()}
    figures: dict[str, Any] = {key: int(match[1]) if match else None for key, match in found.items()}
    raised = re.search(r"Uncaught Python exception: ===\n(.*)", output) or re.search(r"ERROR: (.*)", output)
    failed = raised[1][:300] if raised else output[-300:]
    return {**figures, "inputs_kept": len(list(corpus.iterdir())), "defects": [failed] if ended.returncode else []}


def fuzz() -> None:
    """Run the target that the command line names until libFuzzer ends the process."""
    import atheris

    with atheris.instrument_imports(include=["fauxto", "tarfile", "zipfile"]):
        from benchmarks.robustness.mutations import mutator
        from benchmarks.robustness.walker_targets import TARGETS, whole_files
    name, *flags, corpus = sys.argv[1:]
    target, kinds = TARGETS[name], whole_files()
    for number, data in enumerate(kinds[target.kind]):
        (Path(corpus) / f"whole-{number}").write_bytes(data)
    # Looked up anew each time: atheris puts its own in place when it starts.
    changed = mutator(target.kind, kinds, lambda data, most: atheris.Mutate(data, most))
    atheris.Setup([sys.argv[0], *flags, corpus], target, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
