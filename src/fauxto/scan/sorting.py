"""Judged files into folders by their verdicts: copied, moved or linked, never over another file."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

from fauxto.choices import SortAction
from fauxto.errors import ConfigError
from fauxto.report import Report
from fauxto.scan.files import unfinished


class Sorter:
    """Puts files under `real`, `ai` and `inconclusive` in one folder, at the place that they had in their source.

    A second run over the same files changes nothing: what is in its place already is left there.
    """

    def __init__(self, action: SortAction, folder: Path, sources: Sequence[str]) -> None:
        """Check the folder.

        Args:
            action: What to do.
            folder: Where `real`, `ai` and `inconclusive` are made.
            sources: What was scanned.

        Raises:
            ConfigError: The folder is a file, or lies inside a scanned one, whose next scan would find the files again.
        """
        self._action = action
        self._folder = folder
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder} is a file; name a folder to sort into")
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
        place = source.parent.resolve() / source.name
        root = next((root for root in self._roots if place.is_relative_to(root)), None)
        below = place.relative_to(root) if root else Path(source.name)
        if not source.exists():  # moved already, if this is a second run
            return False
        target = _free_or_same(self._folder / str(report.verdict) / below, source, report)
        if target.exists():
            if self._action is SortAction.MOVE and not source.samefile(target):
                source.unlink()  # its copy is in place
            return True
        target.parent.mkdir(parents=True, exist_ok=True)
        if self._action is SortAction.LINK:
            target.symlink_to(source)
        else:
            self._copy_or_move(source, target)
        return True

    def _copy_or_move(self, source: Path, target: Path) -> None:
        is_near = source.lstat().st_dev == target.parent.stat().st_dev
        # A link that is moved might lead nowhere.
        if self._action is SortAction.MOVE and is_near and not source.is_symlink():
            source.rename(target)
            return
        shutil.copy2(source, unfinished(target))
        unfinished(target).replace(target)
        if self._action is SortAction.MOVE:
            source.unlink()


def _free_or_same(target: Path, source: Path, report: Report) -> Path:
    """Return `target`, or a longer name, that is free or whose file is the same to the last byte."""
    digits = report.image.sha256[:8] if report.image else ""
    for number in count():
        longer = [digits] * (number > 0) + [str(number)] * (number > 1)
        name = target.with_stem("-".join([target.stem, *longer]))
        if not os.path.lexists(name) or (name.is_file() and filecmp.cmp(source, name, shallow=False)):
            return name
    raise AssertionError  # numbers don't end
