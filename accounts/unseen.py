"""Characters of which a reader sees nothing, or only a tower of accents: they make names and titles that are not there."""

from __future__ import annotations

import unicodedata

# Fillers of Hangul, Khmer and braille, and the grapheme joiner: letters or marks for Unicode, blank for readers.
BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Tibetan and Burmese stack the most marks on one letter.
_MOST_MARKS = 8


def is_seen(text: str) -> bool:
    """Whether the text contains anything that leaves ink."""
    return any(sign not in BLANK_LETTERS and unicodedata.category(sign)[0] in "LNPS" for sign in text)


def is_piled_up(text: str) -> bool:
    """Whether a letter carries more marks than any script needs: they cover the lines above and below."""
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.category(sign) in ("Mn", "Me") else 0
        if marks > _MOST_MARKS:
            return True
    return False


def is_noncharacter(sign: str) -> bool:
    """Whether Unicode reserves this code for no character at all; XML forbids some of them."""
    code = ord(sign)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004  # as Unicode defines them
