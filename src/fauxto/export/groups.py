"""Many reports sorted by verdict, for a gallery: all are counted, as many are kept as a page can bear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fauxto import wording
from fauxto.export.text import shown, version
from fauxto.export.thumbnails import Thumbnail
from fauxto.report import Report, Verdict

MOST = 500
"""Pictures of one verdict that a gallery shows."""

TITLES: Mapping[Verdict | None, str] = {
    Verdict.AI: "Probably generated",
    Verdict.INCONCLUSIVE: "Can't tell",
    Verdict.REAL: "Probably photographs",
    None: "Not judged",
}
"""The groups in their order."""

CAUTION = (
    "A verdict is likelihood, not proof: some photographs are mistaken for generated pictures and vice versa. "
    "“Can't tell” says nothing either way. The figures are the probability that a picture was generated, from its "
    "pixels alone."
)

Pictures = Iterable[tuple[Report, Thumbnail | None]]
"""Reports, each with its picture by `fauxto.export.thumbnails.thumbnail` where there is one."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Reports by verdict; `counts` counts all, `members` has the first `MOST` of each."""

    counts: Mapping[Verdict | None, int]
    members: Mapping[Verdict | None, list[tuple[Report, Thumbnail | None]]]

    @property
    def total(self) -> int:
        """How many reports there were."""
        return sum(self.counts.values())

    @property
    def line(self) -> str:
        """How many pictures were judged, and by what."""
        return f"{self.total:,} picture{'' if self.total == 1 else 's'}, judged by fauxto {version()}"

    def heading(self, verdict: Verdict | None) -> str:
        """Return a group's title with its number, and how many of them are shown where not all are."""
        count = self.counts[verdict]
        return f"{TITLES[verdict]} ({count:,}{f', the first {MOST:,} shown' if count > MOST else ''})"


def group(pictures: Pictures) -> Groups:
    """Sort pictures as they come, keeping `MOST` of each verdict."""
    counts = dict.fromkeys(TITLES, 0)
    members: dict[Verdict | None, list[tuple[Report, Thumbnail | None]]] = {verdict: [] for verdict in TITLES}
    for report, picture in pictures:
        counts[report.verdict] += 1
        if counts[report.verdict] <= MOST:
            members[report.verdict].append((report, picture))
    return Groups(counts, members)


def name(report: Report) -> str:
    """Return what a picture is called, printable and bounded."""
    return shown(report.path or "a picture without a name", 200)


def reading(report: Report) -> str:
    """Return the probability in words, or why there is none."""
    if report.probability is None:
        return "no number" if report.verdict else report.status.replace("_", " ")
    return wording.percent(report.probability) if wording.is_in_domain(report) else "out of domain"
