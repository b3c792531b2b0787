"""Turn what people type into a PostgreSQL full-text query, and texts into what it is matched against."""

from __future__ import annotations

import re
import unicodedata

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Value
from django.db.models.expressions import Combinable

# Words beyond these only cost time: nobody types more than a line.
_MOST_WORDS = 8
# Quotes, a minus before a word and OR mean something to websearch_to_tsquery; guessing prefixes would undo them.
_OPERATORS = re.compile(r'"|(^|\s)-\w|\sor\s', re.IGNORECASE)


def plain(text: str) -> str:
    """Drop accents, so that "Dvořák" is found by "dvorak" and the other way round."""
    decomposed = unicodedata.normalize("NFKD", text.replace("\x00", ""))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def search_vector(*, title: str, names: str, text: str) -> Combinable:
    """What a listing is found by: its title most of all, then names of people, subjects and places, then its text.

    The title is there twice: stemmed, so that "guitars" finds "guitar", and as written, so that "drawi" finds "drawing".
    """
    return (
        SearchVector(Value(plain(title)), weight="A", config="english")
        + SearchVector(Value(plain(title)), weight="A", config="simple")
        + SearchVector(Value(plain(names)), weight="B", config="simple")
        + SearchVector(Value(plain(names)), weight="B", config="english")
        + SearchVector(Value(plain(text)), weight="C", config="english")
    )


def search_query(text: str) -> SearchQuery | None:
    """Understand text like a web search does: words, "phrases", -without, OR; the last letters may be missing.

    None when there is no word in it, which is no search at all.
    """
    text = plain(text)
    words = re.findall(r"\w+", text)[:_MOST_WORDS]
    words = [word for word in words if word.strip("_")]
    if not words:
        return None
    query = SearchQuery(text, search_type="websearch", config="english")
    if _OPERATORS.search(text):
        return query
    # \w alone is let through, and quoted: to_tsquery refuses anything it cannot parse with an error.
    prefixes = " & ".join(f"'{word}':*" for word in words)
    return query | SearchQuery(prefixes, search_type="raw", config="simple")
