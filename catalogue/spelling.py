"""Correct typing errors to words that listings contain.

The vocabulary holds each word with all forms in which a letter or two are left out. Two words with an error or two
between them share such a form, so the database finds the likely words without an extension of PostgreSQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.postgres.search import SearchQuery
from django.db import models
from django.db.models import Exists, OuterRef

from catalogue.models import Listing, SearchWord
from catalogue.words import is_unspaced, words

_SHORTEST = 4
# From this length on, two errors are allowed.
_LONG = 8
_LONGEST = 24
# Forms are made of the first letters only: a word of 12 letters has 79.
_COMPARED = 12
_MOST_PER_LISTING = 2000


@dataclass(frozen=True, slots=True)
class Correction:
    """A word as typed, and the word of listings that was probably meant: as the search compares it, and as written."""

    typed: str
    meant: str
    written: str


def learn_words(texts: Iterable[str], vocabulary: type[SearchWord] = SearchWord) -> None:
    """Add the words of new listings to the vocabulary. Sorted, so that two publications never wait for each other."""
    found = dict(list(_written_words(" ".join(texts)).items())[:_MOST_PER_LISTING])
    known = set(vocabulary.objects.filter(word__in=found).values_list("word", flat=True))
    new = [
        vocabulary(word=word, written=found[word], forms=" ".join(f"'{form}'" for form in sorted(forms_of(word))))
        for word in sorted(found.keys() - known)
    ]
    vocabulary.objects.bulk_create(new, ignore_conflicts=True)


def correct(typed: list[str], shown: models.QuerySet[Listing]) -> list[Correction]:
    """Corrections of those words that no shown listing contains, where a similar word is in one. One query."""
    wanted = {word: forms_of(word) for word in typed if _can_be_corrected(word)}
    if not wanted:
        return []
    shared = " | ".join(f"'{form}'" for form in sorted(set().union(*wanted.values())))
    containing = shown.filter(search=SearchQuery(OuterRef("word"), config="simple"))
    similar = SearchWord.objects.filter(forms=SearchQuery(shared, config="simple", search_type="raw"))
    known = list(similar.filter(Exists(containing.order_by())).order_by("word"))
    found = [(word, _closest(word, known)) for word in wanted]
    return [Correction(word, best.word, best.written) for word, best in found if best and best.word != word]


def forms_of(word: str) -> set[str]:
    """The word itself and all its forms without one letter; those of long words without two as well."""
    start = word[:_COMPARED]
    once = {start[:place] + start[place + 1 :] for place in range(len(start))}
    if len(word) < _LONG - 1:
        return {start, *once}
    twice = {form[:place] + form[place + 1 :] for form in once for place in range(len(form))}
    return {start, *once, *twice}


def distance(left: str, right: str) -> int:
    """How many letters must be added, left out, replaced or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for place, letter in enumerate(left, start=1):
        before, last, row = row, before, [place]
        for other_place, other in enumerate(right, start=1):
            steps = min(before[other_place] + 1, row[-1] + 1, before[other_place - 1] + (letter != other))
            is_swapped = place > 1 and other_place > 1 and letter == right[other_place - 2] and left[place - 2] == other
            row.append(min(steps, last[other_place - 2] + 1) if is_swapped else steps)
    return row[-1]


def _closest(typed: str, known: list[SearchWord]) -> SearchWord | None:
    allowed = 2 if len(typed) >= _LONG else 1
    # People rarely mistype the first letter.
    ranked = sorted(
        (distance(typed, candidate.word), candidate.word[0] != typed[0], candidate.word, candidate.pk)
        for candidate in known
    )
    best = next((pk for steps, _, _, pk in ranked if steps <= allowed), None)
    return next((candidate for candidate in known if candidate.pk == best), None)


def _can_be_corrected(word: str) -> bool:
    return _SHORTEST <= len(word) <= _LONGEST and not is_unspaced(word) and not word.isdigit()


def _written_words(text: str) -> Mapping[str, str]:
    """The words of a text that can be meant, as the search compares them, each as it is written."""
    found: dict[str, str] = {}
    for written in re.findall(r"[^\W_](?:[\w’'-]*[^\W_])?", text):
        for word, part in zip(words(written), re.split("-", written), strict=False):
            if _can_be_corrected(word):
                found.setdefault(word, part.lower())
    return found
