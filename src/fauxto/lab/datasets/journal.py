"""What an import has done so far, kept on disk in a way that survives being killed at any moment."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Packed:
    """A picture: its manifest row (without the offset) and its pixels, None where it stays a file."""

    row: dict[str, Any]
    pixels: bytes | None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that holds no picture that we could use: its path, the `Status` word, and why in a sentence."""

    path: str
    status: str
    reason: str


class Journal:
    """Rows and pixels that an import appends batch by batch, and finds again after a cut.

    The first line holds the import's origin, each later one a packed row or a skipped file. Pixels reach
    their file before their lines do, so a line's pixels are missing only where the machine itself went down;
    such lines are dropped.

    Attributes:
        packed: Manifest rows by path; `offset` counts bytes of `pixels_file`.
        skipped: What was skipped, by path.
        pixels_file: The pixels in the order in which they came.
    """

    def __init__(self, folder: Path, origin: dict[str, Any]) -> None:
        self.packed: dict[str, dict[str, Any]] = {}
        self.skipped: dict[str, dict[str, Any]] = {}
        self.pixels_file = folder / "pixels.journal"
        self._lines_file = folder / "rows.journal"
        folder.mkdir(parents=True, exist_ok=True)
        first_line = _to_line({"origin": origin})
        whole_bytes = self._restore(first_line)
        self._pixels = self.pixels_file.open("ab")
        self._pixels.seek(self._pixels.truncate(sum(map(pixel_bytes, self.packed.values()))))
        self._lines = self._lines_file.open("ab")
        self._lines.truncate(whole_bytes)
        if not whole_bytes:
            self._lines.write(first_line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pixels.close()
        self._lines.close()

    def append(self, results: Iterable[Packed | Skipped]) -> None:
        """Add a batch; once this returns, a killed process doesn't lose it."""
        lines = []
        for result in results:
            if isinstance(result, Packed):
                row = result.row | {"offset": -1 if result.pixels is None else self._pixels.tell()}
                self._pixels.write(result.pixels or b"")
                self.packed[row["path"]] = row
                lines.append(_to_line({"packed": row}))
            else:
                self.skipped[result.path] = dataclasses.asdict(result)
                lines.append(_to_line({"skipped": self.skipped[result.path]}))
        self._pixels.flush()
        self._lines.write(b"".join(lines))
        self._lines.flush()

    def delete(self) -> None:
        """Remove the journal's files."""
        self.pixels_file.unlink()
        self._lines_file.unlink()

    def _restore(self, first_line: bytes) -> int:
        """Read an earlier run's lines and return how many bytes of them hold, 0 if it had another origin."""
        try:
            lines = self._lines_file.read_bytes().splitlines(keepends=True)
            pixels_there = self.pixels_file.stat().st_size
        except OSError:
            return 0
        if not lines or lines[0] != first_line:
            return 0
        whole_bytes = len(first_line)
        for line in lines[1:]:
            if not line.endswith(b"\n"):
                break  # the process was killed in the middle of this line
            entry = json.loads(line)
            if "packed" in entry:
                row = entry["packed"]
                if row["offset"] + pixel_bytes(row) > pixels_there:
                    break
                self.packed[row["path"]] = row
            else:
                self.skipped[entry["skipped"]["path"]] = entry["skipped"]
            whole_bytes += len(line)
        return whole_bytes


def pixel_bytes(row: dict[str, Any]) -> int:
    """Return how many bytes of packed pixels a manifest row has."""
    count: int = row["pixel_height"] * row["pixel_width"] * 3
    return 0 if row["offset"] < 0 else count


def _to_line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True).encode() + b"\n"
