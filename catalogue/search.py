"""What a listing is found by, and the PostgreSQL query for what a person typed.

All text goes through `catalogue.words` on both sides. PostgreSQL only stems: it has no extension for accents or typing
errors everywhere, and its parser splits words of some scripts in the wrong places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TypeAlias

from django.contrib.postgres.search import (
    CombinedSearchQuery,
    SearchQuery,
    SearchVector,
    SearchVectorCombinable,
    SearchVectorField,
)
from django.db.models import Func, Value
from django.db.models.expressions import Combinable

from catalogue.words import indexed_words, is_unspaced, words

TextQuery: TypeAlias = SearchQuery | CombinedSearchQuery

# More words would only cost time; people do not type that many.
_MOST_WORDS = 8
_MOST_INDEXED = 5000
# No longer word is two words without their space; each place to part it costs a lookup.
_LONGEST_PARTED = 16
# Shorter beginnings are those of too many words.
_SHORTEST_BEGINNING = 3
_CLAUSE = re.compile(r'(-?)"([^"]*)"|(\S+)')
# Words that say what people want of every offer, or nothing: they raise what contains them and exclude nothing.
_SAID_ANYWAY = frozenset(
    [
        "a", "an", "and", "at", "by", "can", "do", "for", "from", "get", "how", "i", "in", "is", "me", "my",
        "near", "of", "on", "or", "the", "to", "want", "with", "you", "your", "learn", "learning", "study",
        "studying", "teach", "teacher", "teachers", "teaching", "tutor", "tutors", "tutoring", "coach",
        "instructor", "lesson", "lessons", "class", "classes", "course", "courses", "training", "tuition",
        "online", "best", "good", "cheap",
    ]
)  # fmt: skip


class _Lexemes(SearchVectorCombinable, Func):
    """A tsvector written as text; its words contain only letters and digits, so none needs escaping."""

    template = "%(expressions)s::tsvector"
    config = None
    output_field = SearchVectorField()


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedText:
    """What one listing is found by; matches in the title count most, then those in names, then the rest."""

    title: str
    teacher: str
    place: str
    # Of subjects and kinds.
    names: str
    text: str

    def vector(self) -> Combinable:
        """Every word as written and stemmed; words of teacher and place also under `teacher/` and `place/`."""
        weighted = [("A", self.title), ("B", f"{self.teacher} {self.place} {self.names}"), ("C", self.text)]
        stems = [SearchVector(Value(_spaced(text)), weight=weight, config="english") for weight, text in weighted]
        fields = [f"'{name}/{word}'" for name in ("teacher", "place") for word in _all_words(getattr(self, name))]
        vector: Combinable = _Lexemes(Value(" ".join([*_positions(weighted), *fields])))
        for stem in stems:
            vector = vector + stem
        return vector


@dataclass(frozen=True, slots=True)
class _Clause:
    """Words that must all be there, or, excluded, must not all be there; a phrase in this order."""

    words: tuple[str, ...]
    is_phrase: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What a person typed: alternatives, each of clauses that must all hold."""

    alternatives: tuple[tuple[_Clause, ...], ...]

    @property
    def is_exact(self) -> bool:
        """Whether quotes, minus or OR were used: then nothing else is searched than what was typed."""
        clauses = [clause for alternative in self.alternatives for clause in alternative]
        return len(self.alternatives) > 1 or any(clause.is_phrase or clause.is_excluded for clause in clauses)

    @property
    def words(self) -> list[str]:
        """The words that matter, or all if all of them are said anyway."""
        typed = [word for alternative in self.alternatives for clause in alternative for word in clause.words]
        return [word for word in typed if word not in _SAID_ANYWAY] or typed

    @property
    def said_anyway(self) -> list[str]:
        """The words that need not be there."""
        return [word for clause in self.alternatives[0] for word in clause.words if word not in self.words]

    def query(self) -> TextQuery:
        """Listings with all its words, whatever their endings."""
        if not self.is_exact:
            return all_of(self.words)
        return reduce(or_, [reduce(and_, map(_clause_query, clauses)) for clauses in self.alternatives])


def parse_search(text: str) -> Search | None:
    """Parse text like a web search: words, "phrases", -without, OR. None if it contains no word."""
    alternatives: list[list[_Clause]] = [[]]
    left = _MOST_WORDS
    for minus, phrase, word in _CLAUSE.findall(text):
        if word.lower() == "or":
            alternatives.append([])
            continue
        found = tuple(words(phrase or word))[:left]
        if found:
            is_excluded = bool(minus) or (len(word) > 1 and word.startswith("-"))
            alternatives[-1].append(_Clause(found, is_phrase=bool(phrase), is_excluded=is_excluded))
            left -= len(found)
    filled = tuple(tuple(clauses) for clauses in alternatives if clauses)
    return Search(filled) if filled else None


def joined_and_parted(typed: Sequence[str]) -> TextQuery | None:
    """Listings that write as one word what was typed as two neighbours, or the other way; None if no word can be.

    Email for e-mail and ball room, tai chi for taichi: a word may be parted anywhere, its parts must then stand together.
    """
    ways: list[TextQuery] = []
    for place, word in enumerate(typed):
        before, after = list(typed[:place]), list(typed[place + 1 :])
        if after and not is_unspaced(word + after[0]):
            ways.append(all_of([*before, word + after[0], *after[1:]]))
        if 1 < len(word) <= _LONGEST_PARTED and not is_unspaced(word):
            parted = [_raw(f"'{word[:at]}' <-> '{word[at:]}'") for at in range(1, len(word))]
            ways.append(reduce(and_, map(_word_query, [*before, *after]), reduce(or_, parted)))
    return reduce(or_, ways) if ways else None


def all_of(wanted: Iterable[str]) -> TextQuery:
    """Listings with all of these words. There must be at least one."""
    return reduce(and_, map(_word_query, wanted))


def any_of(wanted: Iterable[str]) -> TextQuery:
    """Listings with one of these words or more. There must be at least one."""
    return reduce(or_, map(_word_query, wanted))


def beginning_with(wanted: Iterable[str], *, field: str = "") -> TextQuery:
    """Listings with words that begin like these, in the names of the teacher or place if `field` says so."""
    prefix = f"{field}/" if field else ""
    return _raw(" & ".join(f"'{prefix}{word}'{_star(word, field)}" for word in wanted))


def _star(word: str, field: str) -> str:
    return ":*" if field or len(word) >= _SHORTEST_BEGINNING else ""


def _clause_query(clause: _Clause) -> TextQuery:
    as_written = (" <-> " if clause.is_phrase else " & ").join(f"'{word}'" for word in clause.words)
    if clause.is_excluded:
        return _raw(f"!({as_written})")
    return _raw(as_written) if clause.is_phrase else all_of(clause.words)


def _word_query(word: str) -> TextQuery:
    return _raw(f"'{word}'") | SearchQuery(word, config="english", search_type="plain")


def _raw(query: str) -> SearchQuery:
    return SearchQuery(query, search_type="raw", config="simple")


def _all_words(text: str) -> list[str]:
    return list(dict.fromkeys(word for ways in indexed_words(text) for word in ways))


def _spaced(text: str) -> str:
    return " ".join(ways[0] for ways in indexed_words(text)[:_MOST_INDEXED])


def _positions(weighted: Iterable[tuple[str, str]]) -> list[str]:
    """Every word with its places: 'guitar':1A. A gap between the parts keeps phrases within one of them."""
    found = []
    place = 1
    for weight, text in weighted:
        for ways in indexed_words(text)[:_MOST_INDEXED]:
            found += [f"'{word}':{place}{weight}" for word in ways]
            place += 1
        place += 1
    return found
