"""CIFAKE: 60,000 photographs of CIFAR-10 and 60,000 pictures by Stable Diffusion 1.4, all of 32 x 32 pixels.

J. J. Bird and A. Lotfi, "CIFAKE: Image Classification and Explainable Identification of AI-Generated
Synthetic Images", IEEE Access 12, 2024. The photographs: A. Krizhevsky and G. Hinton, "Learning Multiple
Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from fauxto.errors import DatasetError
from fauxto.lab.datasets.manifest import Dataset
from fauxto.lab.datasets.sources import fingerprint, members
from fauxto.lab.datasets.writer import Candidate, OnProgress, write_dataset
from fauxto.scan.archives import is_plain

OBJECT_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)

SIDE = 32  # pixels, of every picture

_MEMBER = re.compile(r"(?:.*/)?((train|test)/(REAL|FAKE)/[^/]*?(?: ?\((\d+)\))?\.[^./]+)", re.DOTALL)


def import_cifake(
    source: str | Path,
    out: str | Path,
    *,
    val_share: float = 0.1,
    on_progress: OnProgress = lambda progress: None,
) -> Dataset:
    """Import CIFAKE from an archive (Kaggle's zip, any tar) or an extracted folder, top folder or not.

    A picture of another size than 32 x 32 is none of CIFAKE's, and skipped. Its test split stays as it was
    published. A validation split is carved out of train by the hash of the pixels, so that equal pictures stay
    together (`splitting.choose_split`).

    Args:
        source: The archive or folder; archives are read in memory, never unpacked.
        out: The folder to make.
        val_share: Share of train that becomes val.
        on_progress: Called with how far the import is.

    Raises:
        DatasetError: The source isn't CIFAKE or is damaged, or `out` holds something else.
    """
    source = Path(source).resolve()
    if not 0 <= val_share < 1:
        raise DatasetError(f"the share of val must be at least 0 and less than 1; got {val_share}")
    origin = {
        "name": "cifake",
        "source": source.name,
        "source_sha256": fingerprint(source),
        "val_share": val_share,
    }
    return write_dataset(Path(out), origin, _candidates(source, val_share), side=SIDE, on_progress=on_progress)


def _candidates(source: Path, val_share: float) -> Iterator[Candidate]:
    shares = {"train": {"train": 1 - val_share, "val": val_share}, "test": {"test": 1.0}}
    is_there = False
    for member in members(source):
        match = _MEMBER.fullmatch(member.name)
        if not match:
            continue
        is_there = True
        path, split, label_folder, number = match.groups()
        real = label_folder == "REAL"
        class_number = int(number or 1)
        yield Candidate(
            path=path if is_plain(member.name) else member.name,
            label="real" if real else "ai",
            generator=None if real else "stable-diffusion-1.4",
            source="cifar-10" if real else "cifake",
            object_class=OBJECT_CLASSES[class_number - 1] if 1 <= class_number <= 10 else None,
            shares=shares[split],
            read=member.read,
            done=member.done,
        )
    if not is_there:
        raise DatasetError(f"{source} holds none of CIFAKE's folders (train/REAL, train/FAKE, test/REAL, test/FAKE)")
