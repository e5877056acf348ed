"""A data set on disk: what its files hold, and how training and evaluation read them.

A data set is a folder with three files (docs/reference/datasets.md): `dataset.json` says where it came from,
`manifest.parquet` has a row per picture, `pixels.bin` their pixels back to back. A set of large pictures has no
`pixels.bin`: its pictures stay files, and `dataset.json` says in which folder.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fauxto.errors import DatasetError
from fauxto.lab.datasets.pictures import FileRows, PixelRows
from fauxto.lab.datasets.splitting import SPLITS

FORMAT = 2
DESCRIPTION_FILE, MANIFEST_FILE, PIXELS_FILE = "dataset.json", "manifest.parquet", "pixels.bin"

LABELS = ("real", "ai")
"""The labels; a label's place is its number in `Split.labels`."""

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), nullable=False),  # inside the archive or folder; unique
        pa.field("label", pa.string(), nullable=False),  # "real" or "ai"
        pa.field("generator", pa.string()),  # null for a photograph, and where nobody knows
        pa.field("source", pa.string(), nullable=False),  # the collection that the picture was taken from
        pa.field("split", pa.string(), nullable=False),  # "train", "val", "test" or "test2"
        pa.field("style", pa.string()),  # "photo", "drawing", "painting", "render" or "mixed"; null where nobody said
        pa.field("object_class", pa.string()),
        pa.field("width", pa.int32(), nullable=False),  # of the whole picture, upright
        pa.field("height", pa.int32(), nullable=False),
        pa.field("format", pa.string(), nullable=False),  # Pillow's word: JPEG, PNG, ...
        pa.field("jpeg_quality", pa.int32()),  # on libjpeg's scale, 1 to 100; null unless JPEG
        pa.field("jpeg_tables", pa.string()),  # names one set of quantisation tables; null unless JPEG
        pa.field("sha256", pa.string(), nullable=False),  # of the file
        pa.field("pixel_sha256", pa.string(), nullable=False),  # of the whole picture: its size and pixels
        pa.field("offset", pa.int64(), nullable=False),  # of the first byte in pixels.bin; -1 where it stays a file
        pa.field("pixel_height", pa.int32(), nullable=False),  # of what a reader gets to see
        pa.field("pixel_width", pa.int32(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """One split of a data set.

    Attributes:
        name: "train", "val", "test" or "test2".
        images: uint8 [N, H, W, 3], memory-mapped, where all pictures have one size; otherwise `PixelRows`; and
            `FileRows` where the pictures stay files.
        labels: int64 [N]; 0 is real, 1 is ai.
        rows: The split's rows of the manifest.
        leaked: bool [N]; whether equal pixels also stand in an earlier split, in the order of `SPLITS`.
    """

    name: str
    images: NDArray[np.uint8] | PixelRows | FileRows
    labels: NDArray[np.int64]
    rows: pa.Table
    leaked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def identities(self) -> list[str]:
        """What stands for the pixels of each picture in a cache's key: their hash, and the size that is seen."""
        columns = (self.rows[name].to_pylist() for name in ("pixel_sha256", "pixel_height", "pixel_width"))
        return [f"{digest}:{height}x{width}" for digest, height, width in zip(*columns, strict=True)]

    @property
    def sources(self) -> NDArray[np.str_]:
        """The source of each picture, str [N]."""
        return np.array(self.rows["source"].to_pylist())


class Dataset:
    """A finished data set.

    Attributes:
        folder: Where it lies.
        name: What it is called.
        description: The contents of dataset.json.
        files: The folder of the pictures' files, to which the manifest's paths are relative; None where their pixels
            are packed.
        manifest: Every row, ordered by split (as in `SPLITS`), then by path.
        manifest_sha256: Hash of manifest.parquet, which stands for the whole data set in a run's records.
    """

    def __init__(self, folder: Path, description: dict[str, Any], manifest: pa.Table) -> None:
        self.folder = folder
        self.description = description
        self.name: str = description["name"]
        self.manifest_sha256: str = description["manifest_sha256"]
        self.manifest = manifest
        self.files = folder / description["files"] if "files" in description else None
        self._pixels: NDArray[np.uint8] | None = None
        if self.files is None:
            self._pixels = np.memmap(folder / PIXELS_FILE, dtype=np.uint8, mode="r")

    @classmethod
    def open(cls, folder: str | Path) -> Dataset:
        """Open the data set in `folder` and check that its parts belong together.

        Raises:
            DatasetError: There is none, its import isn't finished, or its files don't fit each other.
        """
        folder = Path(folder)
        try:
            description = json.loads((folder / DESCRIPTION_FILE).read_text(encoding="utf-8"))
            data = (folder / MANIFEST_FILE).read_bytes()
        except (OSError, ValueError) as error:
            raise DatasetError(
                f"{folder} holds no finished data set; make or finish one with `fauxto data import`"
            ) from error
        if not isinstance(description, dict) or description.get("format") != FORMAT:
            raise DatasetError(f"{folder} isn't a data set of format {FORMAT}; import it again")
        if hashlib.sha256(data).hexdigest() != description.get("manifest_sha256"):
            raise DatasetError(
                f"{folder / MANIFEST_FILE} isn't the file that {DESCRIPTION_FILE} names; import it again"
            )
        try:
            manifest = pq.read_table(pa.BufferReader(data), schema=SCHEMA)
        except pa.ArrowException as error:
            raise DatasetError(f"{folder / MANIFEST_FILE} isn't a manifest: {error}") from error
        if "files" in description:
            if not (folder / description["files"]).is_dir():
                raise DatasetError(
                    f"{folder} says that its pictures lie in {description['files']}, where there is no folder; "
                    f'name the right one under "files" in {DESCRIPTION_FILE}'
                )
        elif not _fits(manifest, folder / PIXELS_FILE):
            raise DatasetError(f"{folder / PIXELS_FILE} doesn't fit the manifest; import the data set again")
        return cls(folder, description, manifest)

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that hold pictures, in the order of `SPLITS`."""
        present = set(self.manifest["split"].unique().to_pylist())
        return tuple(name for name in SPLITS if name in present)

    def split(self, name: str) -> Split:
        """Return one split.

        Raises:
            DatasetError: It holds no picture.
        """
        if name not in self.splits:
            raise DatasetError(f"{self.name} has no split {name!r}; it has {', '.join(self.splits)}")
        rows = self.manifest.filter(pc.equal(self.manifest["split"], name))
        earlier = self.manifest.filter(
            pc.is_in(self.manifest["split"], pa.array(SPLITS[: SPLITS.index(name)], pa.string()))
        )
        return Split(
            name=name,
            images=self._stack(rows),
            labels=pc.equal(rows["label"], "ai").to_numpy().astype(np.int64),
            rows=rows,
            leaked=pc.is_in(rows["pixel_sha256"], earlier["pixel_sha256"].combine_chunks()).to_numpy(),
        )

    def images(self, rows: pa.Table) -> PixelRows | FileRows:
        """Return the pictures of some rows of the manifest, whatever their sizes."""
        if self._pixels is None:
            return FileRows([self.files / path for path in rows["path"].to_pylist()], rows["sha256"].to_pylist())
        sizes = np.stack([rows["pixel_height"], rows["pixel_width"]], axis=1).astype(np.int64)
        return PixelRows(self._pixels, rows["offset"].to_numpy(), sizes)

    def _stack(self, rows: pa.Table) -> NDArray[np.uint8] | PixelRows | FileRows:
        heights, widths = rows["pixel_height"].unique(), rows["pixel_width"].unique()
        if self._pixels is None or len(heights) > 1 or len(widths) > 1:
            return self.images(rows)
        shape = (len(rows), heights[0].as_py(), widths[0].as_py(), 3)
        start = rows["offset"][0].as_py()  # a split's pictures lie back to back, as `open` has checked
        return self._pixels[start : start + math.prod(shape)].reshape(shape)


def _fits(manifest: pa.Table, pixels_file: Path) -> bool:
    """Tell whether the pictures lie back to back in the file and fill it."""
    sizes = manifest["pixel_height"].to_numpy().astype(np.int64) * manifest["pixel_width"].to_numpy() * 3
    ends = np.cumsum(sizes)
    return (
        np.array_equal(manifest["offset"], ends - sizes)
        and pixels_file.is_file()
        and pixels_file.stat().st_size == ends[-1]
    )
