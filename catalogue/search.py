"""Convert search input to a PostgreSQL full-text query, and texts to search vectors."""

from __future__ import annotations

import re
import unicodedata

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Value
from django.db.models.expressions import Combinable

# More words would only cost time; people do not type that many.
_MOST_WORDS = 8
# Quotes, a minus before a word and OR are operators of websearch_to_tsquery; matching prefixes would ignore them.
_OPERATORS = re.compile(r'"|(^|\s)-\w|\sor\s', re.IGNORECASE)


def plain(text: str) -> str:
    """Remove accents, so that "dvorak" finds "Dvořák" and vice versa."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\x00", ""))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_vector(*, title: str, names: str, text: str) -> Combinable:
    """The search vector of a listing: its title has most weight, then names of people, subjects and places, then text.

    The title is in it twice: stemmed, so that "guitars" finds "guitar", and as written, so that "drawi" finds "drawing".
    """
    return (
        SearchVector(Value(plain(title)), weight="A", config="english")
        + SearchVector(Value(plain(title)), weight="A", config="simple")
        + SearchVector(Value(plain(names)), weight="B", config="simple")
        + SearchVector(Value(plain(names)), weight="B", config="english")
        + SearchVector(Value(plain(text)), weight="C", config="english")
    )


def search_query(text: str) -> SearchQuery | None:
    """Parse text like a web search: words, "phrases", -without, OR; the last letters of words may be missing.

    Returns None if it contains no word.
    """
    text = plain(text)
    words = re.findall(r"\w+", text)[:_MOST_WORDS]
    words = [word for word in words if word.strip("_")]
    if not words:
        return None
    query = SearchQuery(text, search_type="websearch", config="english")
    if _OPERATORS.search(text):
        return query
    # Only \w characters are passed, in quotes: to_tsquery raises an error for anything it cannot parse.
    prefixes = " & ".join(f"'{word}':*" for word in words)
    return query | SearchQuery(prefixes, search_type="raw", config="simple")
