"""Two folders of pictures, one of photographs and one by generative models, as a data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from fauxto.errors import DatasetError
from fauxto.images.formats import FORMATS
from fauxto.lab.datasets.manifest import Dataset
from fauxto.lab.datasets.sources import fingerprint, members
from fauxto.lab.datasets.splitting import SPLITS, check_shares
from fauxto.lab.datasets.writer import Candidate, OnProgress, write_dataset

_SUFFIXES = {suffix for format in FORMATS.values() for suffix in format.suffixes}


def import_folders(
    real: str | Path,
    ai: str | Path,
    out: str | Path,
    *,
    window: int = 256,
    shares: Mapping[str, float] | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Dataset:
    """Import every picture below two folders (or inside two archives).

    The first sub-folder, if there is one, names a picture's source, and for AI pictures also the generator.
    A sub-folder named train, val or test is none: it decides the split of what lies in it. All other pictures are
    divided by `shares`: whole sources, by the hash of their names, and pictures without one by that of their pixels.

    A picture of which a side is longer than `window` is packed as its centre window, at native resolution:
    shrinking would wipe out the finest detail, which is where the traces of a generator are.

    Args:
        real: Folder of photographs.
        ai: Folder of pictures by generative models.
        out: The folder to make.
        window: Longest side of the packed pixels.
        shares: Split name to share, summing to 1; by default 80 % train, 10 % val, 10 % test.
        on_progress: Called with how far the import is.

    Raises:
        DatasetError: A folder is missing, holds no picture or lies in the other, or `out` holds something else.
    """
    shares = dict(shares or {"train": 0.8, "val": 0.1, "test": 0.1})
    check_shares(shares)
    if window < 1:
        raise DatasetError(f"the window must be at least 1 pixel; got {window}")
    folders = {"real": Path(real).resolve(), "ai": Path(ai).resolve()}
    first, second = folders.values()
    if first.is_relative_to(second) or second.is_relative_to(first):
        raise DatasetError(f"{first} and {second} hold the same pictures; keep photographs and AI pictures apart")
    out = Path(out).resolve()
    origin = {
        "name": out.name,
        **{f"{label}_source": folder.name for label, folder in folders.items()},
        **{f"{label}_source_sha256": fingerprint(folder) for label, folder in folders.items()},
        "window": window,
        "shares": shares,
    }
    candidates = _candidates(folders, shares)
    return write_dataset(out, origin, candidates, window=window, on_progress=on_progress)


def _candidates(folders: Mapping[str, Path], shares: Mapping[str, float]) -> Iterator[Candidate]:
    for place, (label, folder) in enumerate(folders.items()):
        is_there = False
        for member in members(folder):
            path = PurePosixPath(member.name)
            if path.suffix.lower() not in _SUFFIXES:
                continue
            is_there = True
            split = next((part for part in path.parts[:-1] if part in SPLITS), None)
            collection = collection_of(path)
            yield Candidate(
                path=f"{label}/{member.name}",
                label=label,
                generator=collection if label == "ai" else None,
                source=collection or folder.name,
                object_class=None,
                shares={split: 1.0} if split else shares,
                read=member.read,
                done=(place + member.done) / len(folders),
                kept_together=collection,
            )
        if not is_there:
            raise DatasetError(
                f"{folder} holds no picture, that is no file that ends in {', '.join(sorted(_SUFFIXES))}"
            )


def collection_of(path: PurePosixPath) -> str | None:
    """Return the first sub-folder of a file's path that names no split: its source, and an AI picture's generator."""
    return next((part for part in path.parts[:-1] if part not in SPLITS), None)
