"""Pages of a PDF that are filled from top to bottom: text, pictures, and a footer with the number of the page.

Lengths are in mm, sizes of letters in points. A text is set in the PDF's own Helvetica, which has the letters of
western European languages, or, where it has others, in two fonts that lie beside this file: DejaVu Sans (Latin, Greek,
Cyrillic, Hebrew, Arabic and more) and Droid Sans Fallback (Chinese, Japanese, Korean). Any other character is written
as its code (U+0E44 as \\u0e44), which is exact but not pretty, and the document says so.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fauxto import palette
from fauxto.errors import MissingExtraError
from fauxto.export.right_to_left import is_right_to_left, joined, reordered
from fauxto.export.thumbnails import Thumbnail

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

LEFT, TOP, WIDTH, BOTTOM = 16.0, 14.0, 178.0, 280.0  # of the text, on A4
INK, SOFT = palette.rgb(palette.INK.light), palette.rgb(palette.SOFT.light)
_HEIGHT = 297.0
_FONTS = {"DejaVu": "DejaVuSans.ttf", "Droid": "DroidSansFallback.ttf"}  # a character is set in the first that has it
_CODES = "What this PDF has no letters for stands as its code, such as \\u0e44; the HTML report shows every script."

Colour = tuple[int, int, int]


class Sheet:
    """A document on A4; `pdf` draws what isn't text or a picture, `y` is where the next thing goes."""

    def __init__(self, title: str, time: datetime) -> None:
        """Begin the first page.

        Raises:
            MissingExtraError: fpdf2 isn't installed.
        """
        try:
            from fpdf import FPDF
        except ModuleNotFoundError as error:
            raise MissingExtraError("export", "writing a PDF") from error
        self.pdf: FPDF = FPDF(unit="mm", format="A4")
        self.pdf.core_fonts_encoding = "cp1252"
        self.pdf.set_creation_date(time.astimezone(UTC))
        self.pdf.set_title(title)
        self.pdf.set_creator("fauxto")
        self.pdf.set_lang("en")
        self.pdf.set_margins(LEFT, TOP)
        self.pdf.c_margin = 0
        self.pdf.set_auto_page_break(True, _HEIGHT - BOTTOM)
        self.pdf.add_page()
        self._has_codes = False

    @property
    def y(self) -> float:
        """Where the next thing goes, from the top of the page."""
        return self.pdf.get_y()

    @y.setter
    def y(self, y: float) -> None:
        self.pdf.set_y(y)

    def need(self, height: float) -> None:
        """Begin a new page where this one has less than `height` left."""
        if self.y + height > BOTTOM:
            self.pdf.add_page()

    @contextmanager
    def side_by_side(self, top: float) -> Iterator[None]:
        """Begin at `top`, and go on below the lower of what was there before and what is set inside."""
        before, page = self.y, self.pdf.page_no()
        self.y = top
        yield
        if self.pdf.page_no() == page:
            self.y = max(self.y, before)

    def title(self, title: str) -> None:
        """Set the heading of a section, never alone at the foot of a page."""
        self.need(20)
        self.y += 2.2
        self.text(title, 10.5, style="B", after=0.6)

    def item(self, text: str, x: float = LEFT) -> None:
        """Set one item of a list."""
        self.need(4)
        top = self.y
        self.text("•", x=x)
        self.y = top
        self.text(text, x=x + 3.5, after=0.4)

    def text(
        self,
        text: str,
        size: float = 8.2,
        *,
        x: float = LEFT,
        width: float | None = None,
        style: str = "",
        colour: Colour = INK,
        align: str = "L",
        after: float = 0.0,
    ) -> None:
        """Set a text in lines from `x` on, `width` wide; what the fonts lack is written as its code."""
        text = self.spelled(text)
        if _is_western(text):
            self.pdf.set_font("Helvetica", style, size)
        else:
            self.pdf.set_font("DejaVu", "", size)
        self.pdf.set_text_color(*colour)
        self.pdf.set_x(x)
        room = LEFT + WIDTH - x if width is None else width
        if is_right_to_left(text):
            lines: Any = self.pdf.multi_cell(room, text=joined(text, self._letters), dry_run=True, output="LINES")
            text = "\n".join(map(reordered, lines))
        self.pdf.multi_cell(room, size * 0.46, text, align=align, new_x="LMARGIN", new_y="NEXT")
        self.y += after

    def symbol(self, font: str, style: str, letter: str, size: float, *, x: float, colour: Colour) -> None:
        """Set one letter of any of the PDF's own fonts at `x`, and stay on the line."""
        self.pdf.set_font(font, style, size)
        self.pdf.set_text_color(*colour)
        self.pdf.set_x(x)
        self.pdf.cell(size * 0.46, size * 0.46, letter)

    def picture(self, picture: Thumbnail, words: str, *, x: float, y: float, width: float, height: float) -> float:
        """Place a picture as large as fits, with words for those who can't see it, and return where it ends."""
        per_pixel = min(width / picture.width, height / picture.height)
        size = picture.width * per_pixel, picture.height * per_pixel
        self.pdf.image(io.BytesIO(picture.data), x, y, *size, alt_text=words)
        return y + size[1]

    def finish(self, footer: str) -> bytes:
        """Number the pages and return the document."""
        if self._has_codes:
            self.need(6)
            self.y += 2
            self.text(_CODES, 7, colour=SOFT)
        self.pdf.set_auto_page_break(False)
        pages = self.pdf.page_no()
        for page in range(1, pages + 1):
            self.pdf.page = page
            self.y = BOTTOM + 5
            self.text(f"{footer} · page {page} of {pages}", 7, colour=SOFT)
        return bytes(self.pdf.output())

    def spelled(self, text: str) -> str:
        """Return a text with every character that the fonts lack written as its code."""
        text = unicodedata.normalize("NFC", text)  # macOS writes the names of files letter and accent apart
        if _is_western(text):
            return text
        shown = "".join(
            character if self._has(character) else character.encode("ascii", "backslashreplace").decode("ascii")
            for character in text
        )
        self._has_codes |= shown != text
        return shown

    def _has(self, character: str) -> bool:
        """Tell whether there is a letter that can be set beside the one before it, not above or below."""
        is_mark = unicodedata.bidirectional(character) == "NSM"
        return not is_mark and (character in self._letters or character in self._more_letters)

    @cached_property
    def _letters(self) -> frozenset[str]:
        return self._load("DejaVu")

    @cached_property
    def _more_letters(self) -> frozenset[str]:
        letters = self._load("Droid")  # takes a while, and few texts need it
        self.pdf.set_fallback_fonts(["Droid"], exact_match=False)
        return letters

    def _load(self, font: str) -> frozenset[str]:
        self.pdf.add_font(font, "", Path(__file__).with_name("fonts") / _FONTS[font])
        return frozenset(map(chr, cast("TTFFont", self.pdf.fonts[font.lower()]).cmap))


def _is_western(text: str) -> bool:
    """Tell whether Helvetica has all of a text's characters."""
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
