"""Reports as PDF of A4 size: one picture for a case file, or many by verdict; needs the extra `export`.

sheet.py says which letters it has. The same input gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from fauxto import palette
from fauxto.evidence.content_credentials.timeline import Entry
from fauxto.evidence.listing import FileMetadata
from fauxto.export import metadata_section
from fauxto.export.case_file import Card, CaseFile, Scale
from fauxto.export.groups import CAUTION, TITLES, Pictures, group, name, reading
from fauxto.export.sheet import INK, LEFT, SOFT, WIDTH, Sheet
from fauxto.export.text import shown, utc, version
from fauxto.export.thumbnails import Thumbnail, thumbnail
from fauxto.report import Report, Says, Verdict
from fauxto.wording import Group

_PICTURE_WIDTH, _PICTURE_HEIGHT, _GAP = 66.0, 58.0, 7.0
_HEIGHT_OF_TWO = 48.0  # of the picture and of its map, where both are shown
_TILES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_GAP = 6, 26.0, 41.0, 4.4
_RULE, _AI, _REAL = map(palette.rgb, (palette.RULE.light, palette.FILL[Verdict.AI], palette.FILL[Verdict.REAL]))
_TONES = {verdict: palette.rgb(tones.light) for verdict, tones in palette.TEXT.items()}
_SYMBOLS = {  # `wording.SYMBOLS`, by font, style and letter
    Verdict.AI: ("ZapfDingbats", "", "s"),
    Verdict.REAL: ("ZapfDingbats", "", "l"),
    Verdict.INCONCLUSIVE: ("Helvetica", "B", "?"),
    None: ("ZapfDingbats", "", "5"),
}


def report(case: CaseFile) -> bytes:
    """Return the report on one picture as the bytes of a PDF.

    Raises:
        MissingExtraError: fpdf2 isn't installed.
    """
    sheet = Sheet(f"fauxto report: {case.name}", case.time)
    sheet.text("fauxto report on a picture", 8.5, colour=SOFT)
    sheet.text(case.name, 15, style="B", after=0.6 if case.case else 3)
    for label, value in case.case:
        _in_columns(sheet, label, value, at=38, colours=(SOFT, INK))
    sheet.y += 2.4 if case.case else 0
    x = LEFT
    top = map_top = sheet.y
    if case.picture is not None:
        x += _PICTURE_WIDTH + _GAP
        map_top = _pictures(sheet, case.picture, case)
    with sheet.side_by_side(top):
        _verdict(sheet, case, x)
        if case.map:
            _map_in_words(sheet, case, x, map_top)
    if case.evidence:
        sheet.title("What the file carries")
        for group, cards in groupby(case.evidence, key=lambda card: card.group):
            sheet.text(group, colour=SOFT, after=0.4)
            for card in cards:
                _card(sheet, card)
    sheet.title("How it was judged")
    sheet.text(" ".join(case.method))
    sheet.title("What this can't tell")
    for sentence in case.limits:
        sheet.item(sentence)
    if case.notes:
        sheet.title("Notes of the examiner")
        for line in case.notes:
            sheet.text(line)
    sheet.title("Record")
    for label, value in case.facts:
        _in_columns(sheet, label, value, at=38, colours=(SOFT, INK))
    if case.metadata is not None:
        _metadata(sheet, case.metadata, case.picture)
    return sheet.finish(_footer(case.time))


def gallery(pictures: Pictures, *, time: datetime, title: str = "Pictures, by verdict") -> bytes:
    """Return many reports as the bytes of a PDF; the arguments are those of `fauxto.export.html.gallery`.

    Raises:
        MissingExtraError: fpdf2 isn't installed.
        ValueError: The time has no time zone.
    """
    groups = group(pictures)
    sheet = Sheet(shown(title), time)
    sheet.text(shown(title), 15, style="B", after=0.6)
    sheet.text(groups.line, 8.5, colour=SOFT, after=3)
    for verdict, count in groups.counts.items():
        sheet.symbol(*_SYMBOLS[verdict], 10, x=LEFT, colour=_TONES[verdict])
        sheet.text(f"{TITLES[verdict]}: {count:,}", 10, x=LEFT + 6, style="B", colour=_TONES[verdict], after=0.6)
    sheet.y += 2
    sheet.text(CAUTION)
    for verdict, members in groups.members.items():
        if members:
            sheet.need(_TILE_HEIGHT + 12)
            sheet.title(groups.heading(verdict))
            for start in range(0, len(members), _TILES):
                _row_of_tiles(sheet, members[start : start + _TILES])
    return sheet.finish(_footer(time))


def _pictures(sheet: Sheet, picture: Thumbnail, case: CaseFile) -> float:
    """Set the picture, and below it its map if there is one, on the left; return where the map begins."""
    size = {"x": LEFT, "width": _PICTURE_WIDTH, "height": _HEIGHT_OF_TWO if case.overlay else _PICTURE_HEIGHT}
    sheet.y = sheet.picture(picture, f"The picture {case.name}", y=sheet.y, **size)
    if case.overlay is None:
        return sheet.y
    map_top = sheet.y + 2
    sheet.y = sheet.picture(case.overlay, "A map of where the score comes from", y=map_top, **size)
    return map_top


def _verdict(sheet: Sheet, case: CaseFile, x: float) -> None:
    tone = _TONES[case.verdict]
    sheet.symbol(*_SYMBOLS[case.verdict], 14, x=x, colour=tone)
    sheet.text(case.finding.headline, 14, x=x + 7, style="B", colour=tone, after=1)
    if case.finding.lean:
        sheet.text(case.finding.lean, 9, x=x + 7, style="B", colour=tone, after=1)
    sheet.text(case.finding.meaning, 9, x=x, after=1.5)
    if case.scale is not None:
        _scale(sheet, case.scale, x)
    if case.probability:
        sheet.text(case.probability, 9, x=x, style="B", after=1.5)
    for reason in case.reasons:
        sheet.item(reason, x)


def _map_in_words(sheet: Sheet, case: CaseFile, x: float, top: float) -> None:
    sheet.y = max(sheet.y + 1.5, top if case.overlay else 0)
    sheet.text("Where the score comes from", x=x, style="B", after=0.4)
    sheet.text(case.map, x=x)


def _scale(sheet: Sheet, scale: Scale, x: float) -> None:
    """Draw the two ends in colour, the inconclusive band hatched, and the marker."""
    pdf, top, height, width = sheet.pdf, sheet.y + 1.5, 4.0, LEFT + WIDTH - x
    low, high = x + scale.real_below * width, x + scale.ai_above * width
    for start, end, colour in ((x, low, _REAL), (high, x + width, _AI)):
        pdf.set_fill_color(*(colour if scale.counts else _RULE))
        pdf.rect(start, top, end - start, height, style="F")
    pdf.set_draw_color(*SOFT)
    pdf.set_line_width(0.2)
    with pdf.rect_clip(low, top, high - low, height):
        for step in range(int((high - low + height) / 1.4) + 1):
            pdf.line(low + step * 1.4 - height, top + height, low + step * 1.4, top)
    pdf.rect(low, top, high - low, height)
    pdf.set_fill_color(*INK)
    marker = min(max(x + scale.probability * width - 0.6, x), x + width - 1.2)
    pdf.rect(marker, top - 1.2, 1.2, height + 2.4, style="F")
    for align, part in zip("LCR", scale.parts, strict=True):
        sheet.y = top + height + 1.4
        sheet.text(" ".join(part), 7, x=x, colour=SOFT, align=align, after=1.2)


def _card(sheet: Sheet, card: Card) -> None:
    is_silent = card.says is Says.NOTHING
    colour = _TONES[None] if card.is_alarm else SOFT if card.group is Group.NOTHING else INK
    source = card.source if is_silent else f"{card.source} · {card.trust}"
    _in_columns(sheet, source, card.summary, at=47, colours=(colour, colour), style="B")
    if card.worth:
        sheet.text(card.worth, 7, x=LEFT + 47, colour=SOFT, after=0.4)


def _metadata(sheet: Sheet, metadata: FileMetadata, picture: Thumbnail | None) -> None:
    sheet.title("Metadata")
    sheet.text(metadata_section.WORTH, after=1)
    for label, value in metadata_section.glance_rows(metadata):
        _in_columns(sheet, label, shown(value), at=47, colours=(SOFT, INK))
    if metadata.thumbnail is not None and picture is not None:
        small = thumbnail(metadata.thumbnail, 240)
        pictures = [(small, "In the file's EXIF"), (picture, "The picture")]
        _row_of_pictures(sheet, pictures)
        sheet.text(metadata.thumbnail_sentence, after=1)
    if metadata.credential is not None:
        sheet.text("Content credential", style="B", after=0.4)
        sheet.text(metadata_section.outcome_in_words(metadata.credential), after=1)
        for entry in metadata.credential.entries:
            _entry(sheet, entry)
    for where, fields in groupby(metadata.fields, key=lambda field: field.where):
        sheet.need(12)
        sheet.text(shown(where), style="B", after=0.4)
        for field in fields:
            _in_columns(sheet, field.name or "text", shown(field.value), at=60, colours=(SOFT, INK))
    if not metadata.fields:
        sheet.text(metadata_section.NO_FIELDS)
    sheet.text(metadata_section.what_is_withheld(metadata), colour=SOFT)


def _entry(sheet: Sheet, entry: Entry) -> None:
    sheet.need(16)
    vouched = metadata_section.VOUCHED[entry.is_vouched]
    sheet.text(f"{metadata_section.signer_in_words(entry)} ({vouched})", style="B", after=0.2)
    sheet.text(metadata_section.when_and_how(entry), colour=SOFT, after=0.4)
    for step in entry.steps:
        sheet.item(metadata_section.step_in_words(step))
    pictures = metadata_section.pictures(entry)
    for start in range(0, len(pictures), _TILES):
        _row_of_pictures(sheet, pictures[start : start + _TILES])


def _row_of_pictures(sheet: Sheet, pictures: Sequence[tuple[Thumbnail | None, str]]) -> None:
    """Set small pictures side by side, each with its words below."""
    sheet.need(_TILE_HEIGHT)
    top = sheet.y + 1
    lowest = top
    for column, (picture, words) in enumerate(pictures):
        x = LEFT + column * (_TILE_WIDTH + _TILE_GAP)
        if picture is not None:
            sheet.picture(picture, words, x=x, y=top, width=_TILE_WIDTH, height=_TILE_WIDTH)
        sheet.y = top + _TILE_WIDTH + 1
        sheet.text(shown(words, 90), 6, x=x, width=_TILE_WIDTH)
        lowest = max(lowest, sheet.y)
    sheet.y = lowest + 1


def _in_columns(
    sheet: Sheet, left: str, right: str, *, at: float, colours: tuple[tuple[int, int, int], ...], style: str = ""
) -> None:
    sheet.need(8)
    top = sheet.y
    sheet.text(left, width=at - 3, style=style, colour=colours[0], after=0.4)
    with sheet.side_by_side(top):
        sheet.text(right, x=LEFT + at, colour=colours[1], after=0.4)


def _row_of_tiles(sheet: Sheet, members: Sequence[tuple[Report, Thumbnail | None]]) -> None:
    sheet.need(_TILE_HEIGHT)
    top = sheet.y + 1
    for column, (report, picture) in enumerate(members):
        x = LEFT + column * (_TILE_WIDTH + _TILE_GAP)
        if picture is None:
            sheet.y = top + _TILE_WIDTH / 2
            sheet.text("no picture", 7, x=x, width=_TILE_WIDTH, colour=SOFT, align="C")
        else:
            sheet.picture(picture, name(report), x=x, y=top, width=_TILE_WIDTH, height=_TILE_WIDTH)
        sheet.y = top + _TILE_WIDTH + 1
        sheet.symbol(*_SYMBOLS[report.verdict], 6.5, x=x, colour=_TONES[report.verdict])
        sheet.text(reading(report), 7, x=x + 3.4, width=_TILE_WIDTH - 3.4, style="B", colour=_TONES[report.verdict])
        sheet.text(_ending(sheet.spelled(name(report))), 6, x=x, width=_TILE_WIDTH)
    sheet.y = top + _TILE_HEIGHT


def _ending(text: str) -> str:
    """Return the end of a name that is too long for two lines under a tile, where names differ most."""
    return text if len(text) <= 36 else f"…{text[-35:]}"


def _footer(time: datetime) -> str:
    return f"fauxto {version()} · {utc(time)}"
