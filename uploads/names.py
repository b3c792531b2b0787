"""File names: what is kept of the sender's name, and how it may be offered to others."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

# Common file systems allow names of 255 bytes; the rest is left for "(2)" and the like.
LONGEST_STEM_BYTES = 180
LONGEST_STEM = 100
# The zero-width joiner and non-joiner, which shape letters in Persian, Hindi and Sinhala.
_JOINERS = "\u200c\u200d"
_NOT_AT_THE_EDGES = " .-" + _JOINERS


def ending(name: str) -> str:
    """The file name's ending in lower case, without the dot."""
    return PurePosixPath(name).suffix.removeprefix(".").lower()


def safe_file_name(name: str) -> str:
    """The name to offer on download: letters, marks and digits of any script, so that it can break no header or folder.

    Characters that set the text direction are left out: they can make a name appear to have another ending.
    """
    path = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/"))
    kept = "".join(character if _is_kept(character) else "\n" for character in path.stem)
    stem = _shortened(re.sub(r"\n+", "-", kept).strip(_NOT_AT_THE_EDGES)).strip(_NOT_AT_THE_EDGES)
    return f"{stem or 'file'}.{ending(path.name)}"


def _is_kept(character: str) -> bool:
    return character in " .()-_" + _JOINERS or unicodedata.category(character)[0] in "LMN"


def _shortened(stem: str) -> str:
    """Cut between characters as people see them: a letter stays together with its marks."""
    end = min(len(stem), LONGEST_STEM)
    while len(stem[:end].encode()) > LONGEST_STEM_BYTES or _is_inside_a_letter(stem, end):
        end -= 1
    return stem[:end]


def _is_inside_a_letter(stem: str, end: int) -> bool:
    return 0 < end < len(stem) and (unicodedata.category(stem[end])[0] == "M" or stem[end] in _JOINERS)
