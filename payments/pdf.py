"""The fonts of PDFs: the viewer's own Helvetica where it suffices, otherwise FiraGO, which covers most scripts.

Chinese, Japanese and Korean come from Droid Sans Fallback. No well-kept package has such a font, so the file is kept in
payments/fonts with its licence.

Every viewer has Helvetica for Western European text, and a receipt in it is drawn in a hundredth of the time: in a rush
of purchases that is the difference between mails within a second and mails within a minute.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pymupdf_fonts
from fpdf import FPDF
from fpdf.enums import TextEmphasis
from fpdf.fonts import TTFFont

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# The package's names for the regular and the bold face. Each further face would add a fifth to a receipt's time.
_FACES = {"": "figo", "B": "figbo"}
_EAST_ASIAN = Path(__file__).parent / "fonts" / "DroidSansFallback.ttf"
_FOOT_MM = 14
# Words from right to left, one of which a zero-width joiner or non-joiner divides, as in Persian names. fpdf2 takes
# these for characters of the line's own direction, and in English lines it swaps the parts of the name.
_DIVIDED_WORDS = re.compile("(?=[\u0590-\u08ff ]+[\u200c\u200d])[\u0590-\u08ff]+(?:[ \u200c\u200d]+[\u0590-\u08ff]+)+")
_RIGHT_TO_LEFT, _END_OF_DIRECTION = "\u202b", "\u202c"
# A visible gap: a similar letter would turn a name into another name.
GAP = "[?]"


class NotWestern(Exception):
    """The text has characters that a Western document cannot print."""


class Document(FPDF):
    """A PDF in one font family. `has_gaps` is True once it was given characters that it cannot print."""

    family: str
    has_gaps = False

    def printable(self, text: str) -> str:
        """The text, as far as it can be printed."""
        raise NotImplementedError

    def footer(self) -> None:
        """Title and number at the foot of each page, so that pages taken apart can be put together again."""
        self.set_y(-_FOOT_MM)
        self.set_font(self.family, size=8)
        self.cell(0, 4, self.printable(f"{self.title} · page {self.page_no()}"), align="R")

    def close_fonts(self) -> None:
        """Close the font files, if any."""


class WesternDocument(Document):
    """Takes only Western European text, and is fast."""

    family = "Helvetica"
    _ENCODING = "windows-1252"

    def __init__(self) -> None:
        super().__init__()
        self.core_fonts_encoding = self._ENCODING

    def printable(self, text: str) -> str:
        """The text without control characters. Raises NotWestern."""
        composed = unicodedata.normalize("NFC", text)
        shown = "".join(letter for letter in composed if letter.isprintable() or letter == NO_BREAK_SPACE)
        try:
            shown.encode(self._ENCODING)
        except UnicodeEncodeError as error:
            raise NotWestern from error
        return shown


class WorldDocument(Document):
    """Takes most scripts and embeds the glyphs it uses, which is slow."""

    family = "FiraGO"

    def __init__(self, fonts: Path) -> None:
        super().__init__()
        for style, name in _FACES.items():
            file = fonts / f"{name}.ttf"
            file.write_bytes(pymupdf_fonts.myfont(name))
            self.add_font(self.family, style, file)
        # Joins (Arabic), stacks (Hindi, Thai) and orders letters from right to left as their script requires.
        self.set_text_shaping(True)
        self._known = set(self._faces[0].cmap)

    def set_font(self, family: str | None = None, style: str | TextEmphasis = "", size: float = 0) -> None:
        """Choose the font, and write that choice even if it was written before.

        A line that falls back on the large font ends with what was chosen within it forgotten, which fpdf2 does not know.
        """
        super().set_font(family, style, size)
        self.current_font_is_set_on_page = False

    def printable(self, text: str) -> str:
        """The text with a gap for each run of characters that no font here has, such as emoji."""
        # Composed first: the font has more composed letters than combining accents.
        composed = unicodedata.normalize("NFC", text)
        if not all(map(self._is_known, composed)):
            self._add_east_asian()
        shown = [letter for letter in composed if self._is_known(letter) or letter.isprintable()]
        parts = ["".join(run) if is_known else GAP for is_known, run in groupby(shown, self._is_known)]
        self.has_gaps = self.has_gaps or GAP in parts
        return _DIVIDED_WORDS.sub(rf"{_RIGHT_TO_LEFT}\g<0>{_END_OF_DIRECTION}", "".join(parts))

    def close_fonts(self) -> None:
        for face in self._faces:
            face.close()

    @property
    def _faces(self) -> list[TTFFont]:
        return [face for face in self.fonts.values() if isinstance(face, TTFFont)]

    def _is_known(self, letter: str) -> bool:
        return ord(letter) in self._known

    def _add_east_asian(self) -> None:
        """Read the large font, once something needs it; both weights of text fall back on it."""
        if len(self._faces) > len(_FACES):
            return
        self.add_font("EastAsian", "", _EAST_ASIAN)
        self.set_fallback_fonts(["EastAsian"], exact_match=False)
        self._known |= {code for code in self._faces[-1].cmap if chr(code).isprintable()}


def render_pdf(draw: Callable[[Document], None]) -> bytes:
    """The PDF that `draw` draws, in the fast font if that suffices. `draw` may be called twice."""
    try:
        western = WesternDocument()
        draw(western)
        return bytes(western.output())
    except NotWestern:
        with TemporaryDirectory() as folder:
            world = WorldDocument(Path(folder))
            try:
                draw(world)
                return bytes(world.output())
            finally:
                world.close_fonts()
