"""Packing pictures into a data set, so that a cut import goes on where it stopped and never looks finished.

Everything is written into the folder `<out>.partial`, with a journal of what is done. At the end the pixels
are put in the order of the manifest, and one rename turns the folder into `<out>`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fauxto.cores import cores
from fauxto.errors import DatasetError, ImageError
from fauxto.images import decode
from fauxto.jpeg_tables import estimate_quality, read_tables
from fauxto.lab.datasets.journal import Journal, Packed, Skipped, pixel_bytes
from fauxto.lab.datasets.manifest import (
    DESCRIPTION_FILE,
    FORMAT,
    LABELS,
    MANIFEST_FILE,
    PIXELS_FILE,
    SCHEMA,
    Dataset,
)
from fauxto.lab.datasets.pictures import pixel_sha256
from fauxto.lab.datasets.splitting import SPLITS, choose_split
from fauxto.report import Status

_BATCH_FILES, _BATCH_BYTES = 512, 64 * 1024 * 1024  # whichever comes first; the bytes are those of the files
_THREADS = cores()
_DECODED_AHEAD = 2 * _THREADS  # pictures: a small file can hold very many pixels


@dataclass(frozen=True, slots=True)
class Whole:
    """What is known of a picture that a file is but a window of: its size in pixels and its format."""

    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that an importer offers.

    Attributes:
        path: What the manifest calls it; a second file of the same path is skipped.
        label: "real" or "ai".
        generator: Name of the generative model, or None.
        source: The collection that it comes from.
        object_class: What it shows, or None.
        shares: The splits that it may fall into, with their shares.
        read: Returns the file's bytes or raises `ImageError`.
        done: Share of the source that lies behind with this file, in [0, 1].
        kept_together: Files with the same word fall into the same split; None leaves that to their pixels.
        whole: The picture that the file was cut out of; None where the file is the whole picture.
        style: What kind of picture it is ("photo", "drawing", ...), or None.
    """

    path: str
    label: str
    generator: str | None
    source: str
    object_class: str | None
    shares: Mapping[str, float]
    read: Callable[[], bytes]
    done: float
    kept_together: str | None = None
    whole: Whole | None = None
    style: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: share of the source that lies behind, pictures packed, files skipped."""

    done: float
    packed: int
    skipped: int


OnProgress = Callable[[Progress], None]


def write_dataset(
    out: Path,
    origin: dict[str, Any],
    candidates: Iterable[Candidate],
    *,
    window: int | None = None,
    side: int | None = None,
    files: Path | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> Dataset:
    """Pack every candidate that decodes into a data set at `out`; list the others in its dataset.json.

    Args:
        out: The folder to make. A finished data set of the same origin is returned as it is.
        origin: Facts that decide the result (name, fingerprint of the source, options); a partial import with
            other facts is thrown away.
        candidates: The files.
        window: Pack at most this many pixels of each side, from the centre; None packs whole pictures.
        side: Skip whatever isn't a square of so many pixels a side; None takes any size.
        files: The folder to which the candidates' paths are relative, if their pictures are to stay there, to be
            decoded when they are read; None packs their pixels.
        on_progress: Called after every batch.

    Raises:
        DatasetError: `out` holds something else, the candidates can't be listed, or none could be packed.
    """
    out = out.resolve()
    if (out / DESCRIPTION_FILE).exists():
        dataset = Dataset.open(out)
        if dataset.description["origin"] != origin:
            raise DatasetError(f"{out} already holds another data set ({dataset.name}); choose another --out")
        return dataset
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out} exists and isn't a data set; choose another --out")
    unfinished = out.with_name(out.name + ".partial")
    pack = partial(_pack, window=window, side=side, keep_pixels=files is None)
    journal = Journal(unfinished, origin)
    try:
        with journal:
            for batch in _batches(candidates, journal):
                journal.append(_packed(batch, pack))
                on_progress(Progress(batch[-1][0].done, len(journal.packed), len(journal.skipped)))
        if not journal.packed:
            raise DatasetError(f"no picture could be packed into {out}: all {len(journal.skipped)} files were skipped")
    except DatasetError:  # the source is no good; a mended one is another source, which starts afresh
        journal.delete()
        with suppress(OSError):  # stays where somebody keeps other files in it
            unfinished.rmdir()
        raise
    _finish(unfinished, origin, journal, files)
    if out.exists():
        out.rmdir()  # empty, as checked above; not every system renames over a folder
    unfinished.rename(out)
    return Dataset.open(out)


_Loaded = tuple[Candidate, bytes | ImageError]


def _batches(candidates: Iterable[Candidate], journal: Journal) -> Iterator[list[_Loaded]]:
    """Read the files that the journal doesn't know yet, in batches that are decoded together."""
    seen: set[str] = set()
    batch: list[_Loaded] = []
    batch_bytes = 0
    for candidate in candidates:
        data: bytes | ImageError
        if candidate.path in seen:
            data = ImageError(Status.UNREADABLE, "another file of the same name came before")
        elif candidate.path in journal.packed or candidate.path in journal.skipped:
            seen.add(candidate.path)
            continue
        else:
            try:
                data = candidate.read()
                batch_bytes += len(data)
            except ImageError as error:
                data = error
        seen.add(candidate.path)
        batch.append((candidate, data))
        if len(batch) >= _BATCH_FILES or batch_bytes >= _BATCH_BYTES:
            yield batch
            batch, batch_bytes = [], 0
    if batch:
        yield batch


def _packed(batch: Iterable[_Loaded], pack: Callable[..., Packed | Skipped]) -> Iterator[Packed | Skipped]:
    """Decode in threads and yield in order, holding the pixels of at most `_DECODED_AHEAD` pictures."""
    ahead: deque[Future[Packed | Skipped]] = deque()
    with ThreadPoolExecutor(_THREADS) as threads:
        for loaded in batch:
            if len(ahead) == _DECODED_AHEAD:
                yield ahead.popleft().result()
            ahead.append(threads.submit(pack, *loaded))
        while ahead:
            yield ahead.popleft().result()


def _pack(
    candidate: Candidate, data: bytes | ImageError, *, window: int | None, side: int | None, keep_pixels: bool
) -> Packed | Skipped:
    try:
        if isinstance(data, ImageError):
            raise data
        image = decode(data)
        height, width = image.rgb.shape[:2]
        if side and (height, width) != (side, side):
            sentence = f"it has {width} x {height} pixels, where every picture of this set has {side} x {side}"
            raise ImageError(Status.UNSUPPORTED_FORMAT, sentence)
    except ImageError as error:
        return Skipped(candidate.path, error.status.value, str(error))
    digest = pixel_sha256(image.rgb)
    tables = read_tables(data)
    pixels = _centre(image.rgb, window or max(height, width))
    row = {
        "path": candidate.path,
        "label": candidate.label,
        "generator": candidate.generator,
        "source": candidate.source,
        "split": choose_split(candidate.kept_together or digest, candidate.shares),
        "style": candidate.style,
        "object_class": candidate.object_class,
        "width": width,
        "height": height,
        "format": image.facts.format,
        "jpeg_quality": estimate_quality(tables[0]) if 0 in tables else None,
        "jpeg_tables": _sha256(repr(sorted(tables.items())).encode())[:12] if tables else None,
        "sha256": image.facts.sha256,
        "pixel_sha256": digest,
        "pixel_height": pixels.shape[0],
        "pixel_width": pixels.shape[1],
    }
    whole = dataclasses.asdict(candidate.whole) if candidate.whole else {}
    return Packed(row | whole, pixels.tobytes() if keep_pixels else None)


def _centre(rgb: NDArray[np.uint8], window: int) -> NDArray[np.uint8]:
    top, left = (max(0, (side - window) // 2) for side in rgb.shape[:2])
    return rgb[top : top + window, left : left + window]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _finish(folder: Path, origin: dict[str, Any], journal: Journal, files: Path | None) -> None:
    rows = sorted(journal.packed.values(), key=lambda row: (SPLITS.index(row["split"]), row["path"]))
    if files is None:
        with journal.pixels_file.open("rb") as source, (folder / PIXELS_FILE).open("wb") as target:
            for row in rows:
                source.seek(row["offset"])
                row["offset"] = target.tell()
                target.write(source.read(pixel_bytes(row)))
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), folder / MANIFEST_FILE, compression="zstd")
    counts = Counter((row["split"], row["label"]) for row in rows)
    description = {
        "format": FORMAT,
        "name": origin["name"],
        "origin": origin,
        "manifest_sha256": _sha256((folder / MANIFEST_FILE).read_bytes()),
        "counts": {
            split: {label: counts[split, label] for label in LABELS if counts[split, label]} for split in SPLITS
        },
        "skipped": list(journal.skipped.values()),
        **({"files": str(files.resolve())} if files else {}),
    }
    (folder / DESCRIPTION_FILE).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    journal.delete()
