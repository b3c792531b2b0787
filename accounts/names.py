"""What people may be called: one line in any script, and no advertisement."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.unseen import BLANK_LETTERS, is_piled_up

LONGEST_NAME = 150

# ZWNJ and ZWJ join letters in Persian, Hindi and other scripts; LRM, RLM and ALM only place punctuation.
_JOINERS = "\u200c\u200d\u200e\u200f\u061c"
# Spreadsheets and web pages leave these at the ends of what is pasted from them.
_LEFT_BY_PASTING = "\ufeff\u200b\u2060\u200e\u200f\u061c"
# Controls, formatting such as bidi overrides, half characters, private use, unassigned; line and paragraph separators.
_REFUSED_CATEGORIES = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
_LINK = re.compile(r"://|\bhttps?:|\bwww\b\s*\.|\d\.\d+\.\d+\.\d|@", re.IGNORECASE)
# A word, a full stop of any script, and the next word without a space between them. Mail programs make it a link.
_DOMAIN = re.compile(r"(?<=[^\W_])[.\u3002\uff0e\uff61]([^\W\d_]{2,})")
# Endings that stand for a domain even if they are written like a surname; "J.Rowling" is a name.
_COMMON_ENDINGS = frozenset(
    [
        "app", "biz", "click", "club", "com", "example", "icu", "info", "live", "net", "online", "org", "shop", "site",
        "store", "top", "vip", "website", "xyz",
    ]
)  # fmt: skip
# Of planes 2 and 3, which contain only ideographs; each year's Unicode adds some, and Python learns of them later.
_IDEOGRAPHS = range(0x20000, 0x3FFFE)
# Words before a name that are no part of it.
_TITLES = frozenset(
    [
        "dame",
        "don",
        "doña",
        "dr",
        "fr",
        "frau",
        "herr",
        "lady",
        "lord",
        "m",
        "madame",
        "me",
        "miss",
        "mister",
        "mlle",
        "mme",
        "monsieur",
        "mr",
        "mrs",
        "ms",
        "mx",
        "pan",
        "pani",
        "prof",
        "professor",
        "rev",
        "señor",
        "señora",
        "signor",
        "signora",
        "sir",
        "sra",
        "sr",
        "sister",
    ]
)
# Letters that only Vietnamese has. Its family names come first.
_VIETNAMESE = re.compile("[ạ-ỹẠ-ỸơưƠƯ]")
_MOST_DIGITS = 5
# Letters that Unicode does not decompose.
_UNDIVIDED = str.maketrans("łŁøØđĐıħĦ", "lLoOdDihH")


def clean_name(text: str, *, at_most: int = LONGEST_NAME) -> str:
    """The name as it is stored: NFC and without space around it. Raises ValidationError; an empty text stays empty.

    Names are quoted in mails to other people, so they carry neither links nor phone numbers nor line breaks.
    """
    name = unicodedata.normalize("NFC", text.strip().strip(_LEFT_BY_PASTING).strip())
    # Spreadsheets put a tab between first and last names.
    name = re.sub(r"[ \t]*\t[ \t]*| {2,}", " ", name)
    if len(name) > at_most:
        raise ValidationError(f"A name may have at most {at_most} characters.", code="max_length")
    if any(map(_is_not_shown, name)):
        raise ValidationError("The name contains characters that cannot be shown.", code="not_shown")
    if is_piled_up(name):
        raise ValidationError("The name has too many accents on one letter.", code="piled_up")
    if _has_link(name):
        raise ValidationError(
            "A name cannot contain a web or email address. Put a space after each full stop.", code="link"
        )
    # NFKC turns circled digits and the like into plain ones.
    if sum(sign.isdecimal() for sign in unicodedata.normalize("NFKC", name)) > _MOST_DIGITS:
        raise ValidationError("A name cannot contain a number that long.", code="digits")
    if name and not any(sign.isalnum() for sign in name):
        raise ValidationError("A name needs at least one letter.", code="no_letters")
    return name


def first_name(full_name: str) -> str:
    """What to call a person in a greeting: Ada of "Ada Lovelace".

    Names of one or more than three words, with a title, a particle or an initial first, Vietnamese names and those in a
    script other than Latin do not tell which of their words is the first name, so they stay whole.
    """
    words = full_name.split()
    is_latin = all(unicodedata.name(sign, "").startswith("LATIN") for sign in full_name if sign.isalpha())
    is_of_a_few_words = 2 <= len(words) <= 3  # noqa: PLR2004  # as described
    if is_latin and is_of_a_few_words and not _VIETNAMESE.search(full_name) and _may_be_first(words[0], words[-1]):
        return words[0]
    return full_name


def _may_be_first(word: str, last: str) -> bool:
    is_particle = word.islower() and not last.islower()
    is_title = word.endswith((".", ",")) or word.casefold() in _TITLES
    return len(word) > 1 and not is_particle and not is_title


def initials(name: str) -> str:
    """One or two letters that stand for a person without a picture; the first letter of each outer word.

    Scripts without capitals are not abbreviated by two letters, so they get one.
    """
    letters = [next((sign for sign in word if _is_written_alone(sign)), "") for word in name.split()]
    found = [letter for letter in letters if letter]
    outer = found[:1] + found[1:][-1:]
    has_capitals = all(letter.upper() != letter.lower() for letter in outer)
    return "".join(outer if has_capitals else outer[:1]).upper()


def sorting_key(name: str) -> tuple[str, str]:
    """Sorts names as people look for them, Özil beside Olsen: by their letters first, by accents and case last.

    The order of code points, which databases without ICU sort by, puts every Ö after Z.
    """
    letters = unicodedata.normalize("NFKD", name.translate(_UNDIVIDED)).casefold()
    return "".join(sign for sign in letters if sign.isalnum() or sign == " "), name


class NameField(forms.CharField):
    """A person's name, kept as `clean_name` returns it."""

    def __init__(self, *, max_length: int = LONGEST_NAME, **options: Any) -> None:
        super().__init__(max_length=max_length, **options)
        self.at_most = max_length

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Let the browser take the direction of writing from what is typed."""
        return super().widget_attrs(widget) | {"dir": "auto"}

    def to_python(self, value: Any) -> str:
        return clean_name(super().to_python(value) or "", at_most=self.at_most)


def _is_not_shown(sign: str) -> bool:
    is_refused = unicodedata.category(sign) in _REFUSED_CATEGORIES and ord(sign) not in _IDEOGRAPHS
    return sign in BLANK_LETTERS or (is_refused and sign not in _JOINERS)


def _is_written_alone(sign: str) -> bool:
    """Whether it is a letter or a digit, and no modifier such as the ʻ of Hawaiian names."""
    return sign.isalnum() and unicodedata.category(sign) != "Lm"


def _has_link(name: str) -> bool:
    # NFKC turns look-alikes of a full stop and wide letters into the plain ones.
    plain = unicodedata.normalize("NFKC", name)
    return bool(_LINK.search(plain)) or any(_is_ending(found[1]) for found in _DOMAIN.finditer(plain))


def _is_ending(word: str) -> bool:
    is_surname = word[0].isupper() and word[1:].islower()
    return not is_surname or word.casefold() in _COMMON_ENDINGS
