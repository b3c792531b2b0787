"""One folding of text for every search and sorted list: text is compared without accents or case."""

from __future__ import annotations

import unicodedata

# Letters that Unicode does not decompose, as people without them on the keyboard type them.
_LETTERS = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ø": "o", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘‛ʼʻʹ´`′＇", "'"))
# Nukta, the voicing of kana, and virama: without them another word stands there.
_MARKS_OF_MEANING = {7, 8, 9}


def fold(text: str) -> str:
    """Text in lower case, without accents or invisible characters: "Łódź" is lodz, "O’Brien" o'brien, "Ｍüller" muller.

    "ß" is ss, "æ" ae. Umlauts lose their dots, because more people type "Zurich" than "Zuerich".
    """
    # Case folding can compose letters again, hence the second decomposition.
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold())
    kept = "".join(letter for letter in folded.translate(_LETTERS) if not _is_dropped(letter))
    return unicodedata.normalize("NFC", kept)


def by_name(name: str) -> tuple[str, str]:
    """Key that sorts names as people look for them: Özil between Oz and Ozon, whatever the database sorts by."""
    return fold(name), name


def _is_dropped(letter: str) -> bool:
    mark = unicodedata.combining(letter)
    return (mark != 0 and mark not in _MARKS_OF_MEANING) or letter == "\x00" or unicodedata.category(letter) == "Cf"
