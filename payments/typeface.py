"""The letters of PDFs: FiraGO, which knows most alphabets, and what stands for the letters it does not know."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pymupdf_fonts
from fpdf import FPDF
from fpdf.fonts import TTFFont

FAMILY = "FiraGO"
# What the package calls the regular and the bold face. Each one more is a fifth of a receipt's time.
_FACES = {"": "figo", "B": "figbo"}
# An honest gap: a similar letter in a name would be somebody else's name.
GAP = "[?]"


class Document(FPDF):
    """A PDF in FiraGO that knows what it could not print."""

    def __init__(self, fonts: Path) -> None:
        super().__init__()
        self.has_gaps = False
        for style, name in _FACES.items():
            file = fonts / f"{name}.ttf"
            file.write_bytes(pymupdf_fonts.myfont(name))
            self.add_font(FAMILY, style, file)
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


@contextmanager
def new_document() -> Iterator[Document]:
    """An empty document, to be finished within the context: fonts are read from files, some parts at the very end."""
    with TemporaryDirectory() as folder:
        document = Document(Path(folder))
        try:
            yield document
        finally:
            document.close_fonts()
