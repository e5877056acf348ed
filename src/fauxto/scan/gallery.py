"""The pictures of a scan as one HTML page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from fauxto import images
from fauxto.errors import ImageError
from fauxto.export import groups, html
from fauxto.export.thumbnails import Thumbnail, thumbnail
from fauxto.limits import Limits
from fauxto.report import Report, Verdict
from fauxto.scan.files import replaced


def write(judged: Iterable[tuple[Report, str | None]], path: Path, limits: Limits) -> None:
    """Write the page; local files are shown, as many of each verdict as a gallery takes, what was in archives isn't.

    Raises:
        OSError: The page can't be written.
    """
    page = html.gallery(_with_pictures(judged, limits), time=datetime.now(UTC), title="Scan")
    with replaced(path) as file:
        file.write(page.encode("utf-8", errors="backslashreplace"))


def _with_pictures(
    judged: Iterable[tuple[Report, str | None]], limits: Limits
) -> Iterator[tuple[Report, Thumbnail | None]]:
    seen: Counter[Verdict | None] = Counter()
    for report, file in judged:
        seen[report.verdict] += 1
        is_shown = file and report.image and seen[report.verdict] <= groups.MOST
        yield report, _thumbnail(file, limits) if file and is_shown else None


def _thumbnail(file: str, limits: Limits) -> Thumbnail | None:
    try:
        return thumbnail(images.decode(images.read_bytes(file, limits), limits).rgb)
    except ImageError:  # it is gone, or another by now
        return None
