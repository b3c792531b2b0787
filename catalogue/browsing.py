"""Find and sort the listings that match the filters of the browse page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.postgres.search import SearchRank
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.http import QueryDict
from django.utils import timezone

from accounts.places_and_languages import languages
from catalogue.forms import BrowseForm
from catalogue.models import Level, Listing, ListingPrice, ListingPriceQuerySet, ListingQuerySet
from catalogue.search import Search, TextQuery, all_of, any_of, beginning_with, joined_and_parted, parse_search
from catalogue.spelling import Correction, correct
from catalogue.words import words


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the query string of the page without it."""

    name: str
    label: str
    without: str


@dataclass(frozen=True, slots=True)
class Found:
    """Listings, and how they differ from what was typed."""

    listings: ListingQuerySet
    corrections: Sequence[Correction] = ()
    # No listing has all the words; these have some of them.
    is_partial: bool = False

    @property
    def meant(self) -> list[str]:
        """The corrected words, as listings write them."""
        return [correction.written for correction in self.corrections]


def find_listings(form: BrowseForm) -> Found:
    """The listings that match the valid filters of a validated form; invalid filters are ignored."""
    return find_wanted(form.cleaned_data, currency=form.display_currency)


def find_wanted(wanted: Mapping[str, Any], *, currency: str) -> Found:
    """The listings that match filters by name; prices are compared in `currency`."""
    listings = Listing.objects.shown(timezone.now())
    for name, condition in _CONDITIONS.items():
        if wanted.get(name):
            listings = listings.filter(condition(wanted[name]))
    listings = _in_price_range(listings, wanted, currency)
    found = _matching(listings, wanted.get("q") or "")
    return replace(found, listings=_sorted(found.listings, wanted.get("sort") or "", currency))


def chips(form: BrowseForm, query: QueryDict) -> list[Chip]:
    """The active filters, each with its label and the query string that removes it."""
    found = []
    for name, write_label in _LABELS.items():
        value = form.cleaned_data.get(name)
        if value not in (None, ""):
            rest = query.copy()
            for key in (name, "page"):
                rest.pop(key, None)
            found.append(Chip(name, write_label(value), rest.urlencode()))
    return found


def _matching(listings: ListingQuerySet, text: str) -> Found:
    """All words; otherwise their beginnings, or words written as one or apart, then corrected words, then some of them.

    The first of these that finds any listing.
    """
    search = parse_search(text)
    if search is None:
        # Punctuation alone finds nothing; an empty search finds everything.
        return Found(listings.none() if text else listings)
    if search.is_exact or listings.filter(search=search.query()).exists():
        return Found(_ranked(listings, search.query(), search))
    for query in (beginning_with(search.words), joined_and_parted(search.words)):
        if query is not None and listings.filter(search=query).exists():
            return Found(_ranked(listings, query, search))
    corrections = correct(search.words, Listing.objects.shown(timezone.now()))
    meant = {correction.typed: correction.meant for correction in corrections}
    corrected = [meant.get(word, word) for word in search.words]
    if corrections and listings.filter(search=all_of(corrected)).exists():
        return Found(_ranked(listings, all_of(corrected), search), corrections)
    return Found(_ranked(listings, any_of(corrected), search), corrections, is_partial=len(corrected) > 1)


def _ranked(listings: ListingQuerySet, query: TextQuery, search: Search) -> ListingQuerySet:
    """The listings that match a query; those that also contain the words that need not be there come first."""
    extra = search.said_anyway
    ranked_by = query | any_of(extra) if extra and not search.is_exact else query
    return listings.filter(search=query).annotate(rank=SearchRank(F("search"), ranked_by))


def _in_price_range(listings: ListingQuerySet, wanted: Mapping[str, Any], currency: str) -> ListingQuerySet:
    low, high = wanted.get("min_price"), wanted.get("max_price")
    if low is None and high is None:
        return listings
    prices = _prices_now(currency)
    if low is not None:
        prices = prices.filter(amount_minor__gte=low.minor)
    if high is not None:
        prices = prices.filter(amount_minor__lte=high.minor)
    return listings.filter(Exists(prices))


def _prices_now(currency: str) -> ListingPriceQuerySet:
    """Subquery: the current price of the outer listing in this currency, as its card shows it."""
    return ListingPrice.objects.holding(timezone.now()).filter(listing=OuterRef("pk"), currency=currency)


def _sorted(listings: ListingQuerySet, sort: str, currency: str) -> ListingQuerySet:
    if sort in ("cheapest", "dearest"):
        amount = F("price_minor").asc(nulls_last=True) if sort == "cheapest" else F("price_minor").desc(nulls_last=True)
        return listings.annotate(price_minor=Subquery(_prices_now(currency).values("amount_minor"))).order_by(
            amount, "pk"
        )
    soonest = F("starts_at").asc(nulls_last=True)
    if sort == "newest":
        return listings.order_by("-published_at", "-pk")
    if sort != "soonest" and "rank" in listings.query.annotations:
        return listings.order_by(F("rank").desc(), soonest, "-pk")
    # By default, sold-out listings come last.
    return listings.order_by(*([] if sort else ["is_sold_out"]), soonest, "-published_at", "-pk")


def _start_of(day: Any) -> datetime:
    """The start of a day in the reader's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _starts_on_or_after(day: Any) -> Q:
    """Listings at a place are compared by the date there, as on their cards; others by the date in the reader's zone."""
    return Q(starts_on__gte=day) | Q(starts_on=None, starts_at__gte=_start_of(day))


def _starts_on_or_before(day: Any) -> Q:
    return Q(starts_on__lte=day) | Q(starts_on=None, starts_at__lt=_start_of(day + timedelta(days=1)))


def _named(field: str, name: str) -> Q:
    """Listings whose teacher or place has names that begin with these words; none without a word."""
    wanted = words(name)
    return Q(search=beginning_with(wanted, field=field)) if wanted else Q(pk__in=[])


_CONDITIONS: dict[str, Callable[[Any], Q]] = {
    "kind": lambda domain: Q(domain=domain),
    "subject": lambda subject: Q(subject=subject) | Q(subject__broader=subject),
    "level": lambda level: Q(levels__contains=[level]),
    "language": lambda code: Q(language=code),
    "where": lambda where: Q(is_online=where == "online"),
    "place": lambda place: _named("place", place),
    "currency": lambda code: Q(Exists(_prices_now(code))),
    "from_date": _starts_on_or_after,
    "to_date": _starts_on_or_before,
    "teacher": lambda name: Q(teacher__slug=name.lower()) | _named("teacher", name),
}
_LABELS: dict[str, Callable[[Any], str]] = {
    "q": lambda text: f"“{text}”",
    "kind": lambda domain: str(Listing.objects.filter(domain=domain).values_list("kind_label", flat=True).first()),
    "subject": str,
    "level": lambda level: str(Level(level).label),
    "where": lambda where: "Online" if where == "online" else "In person",
    "place": lambda place: f"In {place}",
    "from_date": lambda day: f"From {day:%-d %B %Y}",
    "to_date": lambda day: f"Until {day:%-d %B %Y}",
    "currency": lambda code: f"Sold in {code}",
    "min_price": lambda amount: f"From {amount}",
    "max_price": lambda amount: f"Up to {amount}",
    "language": lambda code: f"In {dict(languages())[code]}",
    "teacher": lambda name: f"Teacher: {name}",
}
