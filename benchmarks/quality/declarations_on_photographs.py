"""How many real photographs carry a declaration of AI, by our readers: it should be none.

python -m benchmarks.quality.declarations_on_photographs FOLDER [FOLDER ...]

FOLDERs hold nothing but photographs, such as the real originals of a split as they were published, metadata and all.
Writes results/declarations-on-photographs.json, which names every file that a source says `ai` of.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import results
from fauxto import evidence, images
from fauxto.errors import ImageError
from fauxto.limits import Limits
from fauxto.report import Says

LIMITS = Limits(max_bytes=1_000_000_000, max_pixels=500_000_000)
"""Larger than what fauxto takes by itself, so that the largest photographs are asked as well."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Read every file's evidence, print what says `ai`, and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="folders of real photographs")
    options = parser.parse_args(arguments)
    sources = evidence.load_sources()
    counts: Counter[str] = Counter()
    said_ai = []
    for path in sorted(path for folder in options.folders for path in folder.rglob("*") if path.is_file()):
        file = path.read_bytes()
        try:
            image = images.decode(file, LIMITS)
        except ImageError as error:
            counts[str(error.status)] += 1
            continue
        counts["read"] += 1
        found = evidence.gather(file, image, LIMITS, sources)
        said_ai += [{"file": path.name, "summary": one.summary} for one in found if one.says is Says.AI]
    print(f"{dict(counts)}; say ai: {said_ai or 'none'}")
    figures = {"files": dict(counts), "say_ai": said_ai}
    print(f"wrote {results.write('declarations-on-photographs', figures, ('fauxto', 'c2pa-python', 'pillow')).name}")


if __name__ == "__main__":
    main()
