"""The letters of PDFs: the viewer's own where they will do, else FiraGO, which knows most alphabets.

Every viewer has Helvetica for Western European text, and such a receipt is drawn in a hundredth of the time: in a rush
of purchases that is the difference between mails in a second and mails in a minute.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pymupdf_fonts
from fpdf import FPDF
from fpdf.fonts import TTFFont

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# What the package calls the regular and the bold face. Each one more is a fifth of a receipt's time.
_FACES = {"": "figo", "B": "figbo"}
# An honest gap: a similar letter in a name would be somebody else's name.
GAP = "[?]"


class NotWestern(Exception):
    """The text has letters that a Western document does not know."""


class Document(FPDF):
    """A PDF in one family of letters that knows what it could not print."""

    family: str
    has_gaps = False

    def printable(self, text: str) -> str:
        """The text as far as it can be printed."""
        raise NotImplementedError

    def close_fonts(self) -> None:
        """Let go of the font files, if any."""


class WesternDocument(Document):
    """Takes letters of Western Europe only, and is quick."""

    family = "Helvetica"
    _ENCODING = "windows-1252"

    def __init__(self) -> None:
        super().__init__()
        self.core_fonts_encoding = self._ENCODING

    def printable(self, text: str) -> str:
        """The text. Raises NotWestern."""
        composed = unicodedata.normalize("NFC", text)
        shown = "".join(letter for letter in composed if letter.isprintable() or letter == NO_BREAK_SPACE)
        try:
            shown.encode(self._ENCODING)
        except UnicodeEncodeError as error:
            raise NotWestern from error
        return shown


class WorldDocument(Document):
    """Takes most alphabets, embeds the letters it uses, and takes its time."""

    family = "FiraGO"

    def __init__(self, fonts: Path) -> None:
        super().__init__()
        for style, name in _FACES.items():
            file = fonts / f"{name}.ttf"
            file.write_bytes(pymupdf_fonts.myfont(name))
            self.add_font(self.family, style, file)
        # Letters join (Arabic), stack (Hindi, Thai) and run from right to left as their script wants.
        self.set_text_shaping(True)
        self._faces = [face for face in self.fonts.values() if isinstance(face, TTFFont)]
        self._known = self._faces[0].cmap.keys()

    def printable(self, text: str) -> str:
        """The text with a gap for each run of letters the font lacks: Chinese, Japanese, Korean, emoji."""
        # Composed first: the font knows more finished letters than loose accents.
        shown = [
            letter for letter in unicodedata.normalize("NFC", text) if self._is_known(letter) or letter.isprintable()
        ]
        parts = ["".join(run) if is_known else GAP for is_known, run in groupby(shown, self._is_known)]
        self.has_gaps = self.has_gaps or GAP in parts
        return "".join(parts)

    def close_fonts(self) -> None:
        """Let go of the font files."""
        for face in self._faces:
            face.close()

    def _is_known(self, letter: str) -> bool:
        return ord(letter) in self._known


def render_pdf(onto: Callable[[Document], None]) -> bytes:
    """The PDF that `onto` draws, in the quick letters if they will do. `onto` may be called twice."""
    try:
        western = WesternDocument()
        onto(western)
        return bytes(western.output())
    except NotWestern:
        with TemporaryDirectory() as folder:
            world = WorldDocument(Path(folder))
            try:
                onto(world)
                return bytes(world.output())
            finally:
                world.close_fonts()
