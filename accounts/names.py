"""What people may be called: one line in any script, and no advertisement."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

LONGEST_NAME = 150

# ZWNJ and ZWJ join letters in Persian, Hindi and other scripts; LRM, RLM and ALM only place punctuation.
_JOINERS = "\u200c\u200d\u200e\u200f\u061c"
# Spreadsheets and web pages leave these at the ends of what is pasted from them.
_LEFT_BY_PASTING = "\ufeff\u200b\u2060\u200e\u200f\u061c"
# Controls, formatting such as bidi overrides, half characters, private use, unassigned; line and paragraph separators.
_REFUSED_CATEGORIES = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
_LINK = re.compile(r"://|\bhttps?:|\bwww\b\s*\.|\d\.\d+\.\d+\.\d|@", re.IGNORECASE)
# A word, a full stop of any script, and the next word without a space between them. Mail programs make it a link.
_DOMAIN = re.compile(r"[^\W_][.\u3002\uff0e\uff61]([^\W\d_]{2,})")
# Endings that stand for a domain even if they are written like a surname; "J.Rowling" is a name.
_COMMON_ENDINGS = frozenset(["app", "biz", "club", "com", "example", "info", "net", "online", "org", "shop", "site"])
_MOST_DIGITS = 5
# Letters that Unicode does not decompose.
_UNDIVIDED = str.maketrans("łŁøØđĐıħĦ", "lLoOdDihH")


def clean_name(text: str, *, at_most: int = LONGEST_NAME) -> str:
    """The name as it is stored: NFC and without space around it. Raises ValidationError; an empty text stays empty.

    Names are quoted in mails to other people, so they carry neither links nor phone numbers nor line breaks.
    """
    name = unicodedata.normalize("NFC", text).strip().strip(_LEFT_BY_PASTING).strip()
    if len(name) > at_most:
        raise ValidationError(f"A name may have at most {at_most} characters.", code="max_length")
    if any(unicodedata.category(sign) in _REFUSED_CATEGORIES and sign not in _JOINERS for sign in name):
        raise ValidationError("The name contains characters that cannot be shown.", code="not_shown")
    if _has_link(name):
        raise ValidationError(
            "A name cannot contain a web or email address. Put a space after each full stop.", code="link"
        )
    if sum(sign.isdecimal() for sign in name) > _MOST_DIGITS:
        raise ValidationError("A name cannot contain a number that long.", code="digits")
    if name and not any(sign.isalnum() for sign in name):
        raise ValidationError("A name needs at least one letter.", code="no_letters")
    return name


def first_name(full_name: str) -> str:
    """What to call a person in a greeting: Ada of "Ada Lovelace".

    Names of one or more than three words, with a title or an initial first, or in a script other than Latin do not
    tell which of their words is the first name, so they stay whole.
    """
    words = full_name.split()
    is_latin = all(unicodedata.name(sign, "").startswith("LATIN") for sign in full_name if sign.isalpha())
    if is_latin and 2 <= len(words) <= 3 and len(words[0]) > 1 and not words[0].endswith((".", ",")):  # noqa: PLR2004  # as described
        return words[0]
    return full_name


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
