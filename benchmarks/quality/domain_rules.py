"""How many photographs, drawings, paintings and renders get no verdict from their pixels, and how many are cropped.

python -m benchmarks.quality.domain_rules FOLDER MANIFEST [MANIFEST ...] [--photographs 400] [--others 100]

FOLDER holds whole pictures as `<split>/<path>`, and MANIFESTs are tables of them with the columns path, label, source,
split and style (`originals.csv` of the photographs, and the packed table of `fauxto.lab.datasets`). Only pictures of
train and val are looked at, taken from every source in turn. A picture counts as refused where no part of it gets a
verdict, whatever its size (`fauxto.domain`), and as cropped where a picture inside it is judged (`fauxto.inside`).
Where a table states no style, nearly all are photographs. Writes results/domain-rules.json, with the name of every
photograph that is refused or cropped.
"""

from __future__ import annotations

import argparse
import csv
import lzma
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest
from pathlib import Path

from benchmarks import results
from fauxto import images
from fauxto.errors import ImageError
from fauxto.inside import part_to_judge

NOT_STATED = "not stated"
PHOTOGRAPHS = frozenset({"photo", NOT_STATED})


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask the rules of each picture, and write the counts by label and style."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="whole pictures")
    parser.add_argument("manifests", type=Path, nargs="+", help="tables of them, CSV or CSV packed with xz")
    parser.add_argument("--photographs", type=int, default=400, help="most pictures of each label that are photographs")
    parser.add_argument("--others", type=int, default=100, help="most pictures of each label and other style")
    options = parser.parse_args(arguments)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    named: list[dict[str, str]] = []
    for row in _sample(options.manifests, options.photographs, options.others):
        group = counts[f"{row['label']}, {row['style']}"]
        try:
            _, part = part_to_judge(images.decode((options.folder / row["split"] / row["path"]).read_bytes()))
        except ImageError as error:
            group[str(error.status)] += 1
            continue
        group["pictures"] += 1
        outcome = "cropped" if part.crop else ""
        if part.objection:
            outcome = f"refused: {_without_numbers(part.objection)}"
        if outcome:
            group[outcome] += 1
            if row["style"] in PHOTOGRAPHS:
                named.append({"file": Path(row["path"]).name, "source": row["source"], "outcome": outcome})
    by_group = {name: dict(outcomes) for name, outcomes in sorted(counts.items())}
    for name, outcomes in by_group.items():
        print(f"{name}: {outcomes}")
    figures = {"counts": by_group, "photographs": named}
    print(f"wrote {results.write('domain-rules', figures, ('fauxto', 'numpy', 'pillow')).name}")


def _sample(manifests: Sequence[Path], photographs: int, others: int) -> Iterator[dict[str, str]]:
    """Yield rows of train and val, of each label and style as many as asked for, from its sources in turn."""
    dice = random.Random(0)
    groups: dict[tuple[str, str], dict[str, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for path in manifests:
        with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as file:
            for row in csv.DictReader(file):
                row["style"] = row["style"] or NOT_STATED
                if row["split"] in ("train", "val"):
                    groups[row["label"], row["style"]][row["source"]].append(row)
    for (_, style), sources in sorted(groups.items()):
        shuffled = [dice.sample(rows, len(rows)) for _, rows in sorted(sources.items())]
        in_turn = filter(None, chain.from_iterable(zip_longest(*shuffled)))
        yield from islice(in_turn, photographs if style in PHOTOGRAPHS else others)


def _without_numbers(objection: str) -> str:
    return "is a strip" if objection.startswith("is a strip") else objection


if __name__ == "__main__":
    main()
