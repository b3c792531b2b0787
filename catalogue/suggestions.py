"""What the browse page offers when nothing matches: never a bare zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.http import urlencode

from catalogue.browsing import Chip, find_wanted
from catalogue.forms import BrowseForm
from catalogue.models import Listing, ListingQuerySet, Subject
from catalogue.words import words

_MOST_SUBJECTS = 6
_MOST_FILTERS = 6
_SIMILAR = 0.7


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to see something: its label, the number of offers and the query string of the browse page for it."""

    label: str
    number: int
    query: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What could be looked at instead."""

    without: Sequence[Offer]
    subjects: Sequence[Subject]
    are_similar: bool
    kinds: Sequence[Offer]


def suggest(form: BrowseForm, chips: Sequence[Chip]) -> Suggestions:
    """The results with one filter less, the nearest subjects, or else those with most offers, and all kinds."""
    shown = Listing.objects.shown(timezone.now())
    taught = list(subjects_of(shown).select_related("broader"))
    similar = _similar_subjects(form.cleaned_data.get("q", ""), taught)
    return Suggestions(
        without=[offer for chip in chips[:_MOST_FILTERS] if (offer := _without(form, chip)).number]
        if chips[1:]
        else [],
        subjects=(similar or taught)[:_MOST_SUBJECTS],
        are_similar=bool(similar),
        kinds=kinds_of(shown),
    )


def kinds_of(shown: ListingQuerySet) -> list[Offer]:
    """The kinds of offers, with the number of listings of each."""
    counted = shown.values("domain", "kind_label").annotate(number=Count("pk")).order_by("kind_label")
    return [
        Offer(label=kind["kind_label"], number=kind["number"], query=urlencode({"kind": kind["domain"]}))
        for kind in counted
    ]


def subjects_of(shown: ListingQuerySet) -> QuerySet[Subject]:
    """The subjects that something is offered in, those with most offers first; `number` is how many."""
    counted = Subject.objects.annotate(number=Count("listings", filter=Q(listings__in=shown)))
    return counted.filter(number__gt=0).order_by("-number", "name")


def _without(form: BrowseForm, chip: Chip) -> Offer:
    found = find_wanted({**form.cleaned_data, chip.name: None}, currency=form.display_currency)
    return Offer(label=chip.label, number=found.listings.count(), query=chip.without)


def _similar_subjects(text: str, taught: Sequence[Subject]) -> list[Subject]:
    typed = words(text)
    ranked = sorted(((_similarity(typed, subject), subject) for subject in taught), key=lambda pair: -pair[0])
    return [subject for similarity, subject in ranked if similarity >= _SIMILAR]


def _similarity(typed: Sequence[str], subject: Subject) -> float:
    names = f"{subject.name} {subject.broader.name if subject.broader else ''}"
    pairs = ((word, name) for word in typed for name in words(names))
    return max((SequenceMatcher(None, word, name).ratio() for word, name in pairs), default=0.0)
