"""Judged files into folders by their verdicts: copied, moved or linked, never over another file."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path

from fauxto.errors import ConfigError
from fauxto.report import Report
from fauxto.scan.files import unfinished


class How(StrEnum):
    """What is done to a file."""

    COPY = "copy"
    MOVE = "move"
    LINK = "link"


class Sorter:
    """Puts files under `real`, `ai` and `inconclusive` in one folder, at the place that they had in their source.

    A second run over the same files changes nothing: what is in its place already is left there.
    """

    def __init__(self, how: How, folder: Path, sources: Sequence[str]) -> None:
        """Check the folder.

        Args:
            how: What to do.
            folder: Where `real`, `ai` and `inconclusive` are made.
            sources: What was scanned.

        Raises:
            ConfigError: The folder lies inside a scanned one, whose next scan would find the files again.
        """
        self._how = how
        self._folder = folder
        self._roots = sorted((Path(source).resolve() for source in sources if Path(source).is_dir()), reverse=True)
        for root in self._roots:
            if folder.resolve().is_relative_to(root):
                raise ConfigError(f"{folder} lies inside {root}, which is scanned; sort into a folder outside of it")

    def sort(self, judged: Iterable[tuple[Report, str | None]]) -> int:
        """Put each local file that has a verdict in its place, and return how many there were.

        Raises:
            OSError: A file can't be written, or this system makes no links.
        """
        return sum(self._place(Path(file), report) for report, file in judged if file and report.verdict)

    def _place(self, file: Path, report: Report) -> bool:
        source = file.absolute()
        root = next((root for root in self._roots if source.resolve().is_relative_to(root)), None)
        below = source.resolve().relative_to(root) if root else Path(source.name)
        target = self._folder / str(report.verdict) / below
        if not source.exists():  # moved already, if this is a second run
            return False
        if target.exists() and not filecmp.cmp(source, target, shallow=False):
            target = target.with_stem(
                f"{target.stem}-{report.image.sha256[:8] if report.image else ''}"
            )  # another file of that name
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._how is How.LINK:
            if not target.exists():
                target.symlink_to(source)
            return True
        if not target.exists():
            self._copy_or_move(source, target)
        if self._how is How.MOVE and source.exists() and not source.samefile(target):
            source.unlink()  # its copy is in place
        return True

    def _copy_or_move(self, source: Path, target: Path) -> None:
        if self._how is How.MOVE and source.stat().st_dev == target.parent.stat().st_dev:
            source.rename(target)
            return
        shutil.copy2(source, unfinished(target))
        unfinished(target).replace(target)
