"""Split text into the words that the search compares: folded, and in one spelling of English."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from accounts.folding import fold

# Scripts written without spaces between words. They are compared by pairs of neighbouring letters.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
    r"\U00020000-\U0003ffff]+"
)
_LONGEST = 60
# As in "rock and roll", however it is spaced.
_AND = re.compile(r"\s*'n'\s*")
# British to American. Both what is stored and what is typed go through these, so a rule that changes too many words
# does no harm; one that makes two different words equal does.
_SPELLINGS = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^(\w{3,})our(s|ed|ing|ings|ful|ist|ists|less|able|ite|ites|er|ers|y)?$", r"\1or\2"),
        (r"^(practi)s(e|es|ed|ing)$", r"\1c\2"),
        (r"^(\w{3,})is(e|es|ed|ing|er|ers|ation|ations)$", r"\1iz\2"),
        (r"^(\w{3,})ys(e|es|ed|ing|er|ers)$", r"\1yz\2"),
        (r"^(\w{2,})([tb])re(s|d)?$", r"\1\2er\3"),
        (r"^(\w{3,})ogue(s)?$", r"\1og\2"),
        (r"^(\w{3,})ll(ed|ing|er|ers|ery)$", r"\1l\2"),
        (r"^(def|off|lic|pret)ence(s|d)?$", r"\1ense\2"),
        (r"^(program)me(s)?$", r"\1\2"),
        (r"^(math)(?:s|ematics)$", r"\1"),
        (r"^gr[ae]y(s)?$", r"gray\1"),
        (r"^jewel+e?ry$", "jewelry"),
        (r"^(arch|p|orthop|encyclop)ae", r"\1e"),
        (r"^aesthet", "esthet"),
        (r"^moul(d|t)", r"mol\1"),
    )
]


def words(text: str) -> list[str]:
    """The words of what a person typed, in order; letters of scripts without spaces as pairs.

    "O’Brien’s colour" is obrien, color; "日本語" is 日本, 本語.
    """
    return [word for run in _runs(fold(text)) for word in _asked_for(run)]


def indexed_words(text: str) -> list[list[str]]:
    """The words of a text with everything each is found by: Straßen-Musik by strassen, musik and strassenmusik."""
    return [found for run in _runs(fold(text)) for found in _found_by(run)]


def is_unspaced(word: str) -> bool:
    """Whether a word belongs to a script that is written without spaces."""
    return bool(_UNSPACED.match(word))


def one_spelling(word: str) -> str:
    """A folded word in the American spelling."""
    for pattern, replacement in _SPELLINGS:
        word = pattern.sub(replacement, word)
    return word


def _runs(folded: str) -> Iterator[str]:
    """Letters, digits and their marks, with apostrophes and hyphens between them; unspaced scripts apart."""
    spaced = "".join(letter if _belongs_to_a_word(letter) else " " for letter in _AND.sub(" n ", folded))
    for run in _UNSPACED.sub(lambda found: f" {found[0]} ", spaced).split():
        if stripped := run.strip("'-"):
            yield stripped


def _belongs_to_a_word(letter: str) -> bool:
    return letter in "'-" or unicodedata.category(letter)[0] in "LMN"


def _asked_for(run: str) -> list[str]:
    if is_unspaced(run):
        return _pairs(run) if len(run) > 1 else [run]
    return [_joined(part) for part in run.split("-") if part.strip("'")]


def _found_by(run: str) -> list[list[str]]:
    if is_unspaced(run):
        return [list(dict.fromkeys([letter, run[place : place + 2]])) for place, letter in enumerate(run)]
    parts = [part for part in run.split("-") if part.strip("'")]
    found = [[_joined(part), *(one_spelling(piece) for piece in part.split("'") if piece)] for part in parts]
    if len(parts) > 1:
        found[0].append(_joined("".join(parts)))
    return [list(dict.fromkeys(word[:_LONGEST] for word in ways)) for ways in found]


def _pairs(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)]


def _joined(part: str) -> str:
    """A word without its apostrophes, and without an English possessive: o'brien's is obrien."""
    return one_spelling(re.sub(r"'s$", "", part.strip("'")).replace("'", ""))[:_LONGEST]
