"""Find and sort the listings that match the filters of the browse page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.contrib.postgres.search import SearchRank
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.http import QueryDict
from django.utils import timezone

from accounts.models import Teacher
from accounts.places_and_languages import languages
from catalogue.forms import BrowseForm
from catalogue.models import Level, Listing, ListingPrice, ListingPriceQuerySet, ListingQuerySet
from catalogue.search import search_query

# Teachers with a matching name are looked up first, so that both parts of the search can use an index.
_MOST_TEACHERS = 50


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter, and the query string of the page without it."""

    label: str
    without: str


def find_listings(form: BrowseForm) -> ListingQuerySet:
    """The listings that match the valid filters of a validated form; invalid filters are ignored."""
    wanted = form.cleaned_data
    listings = Listing.objects.shown(timezone.now())
    for name, condition in _CONDITIONS.items():
        if wanted.get(name):
            listings = listings.filter(condition(wanted[name]))
    listings = _in_price_range(listings, form)
    return _sorted(_matching(listings, wanted.get("q", "")), wanted.get("sort", ""), form.display_currency)


def chips(form: BrowseForm, query: QueryDict) -> list[Chip]:
    """The active filters, each with its label and the query string that removes it."""
    found = []
    for name, write_label in _LABELS.items():
        value = form.cleaned_data.get(name)
        if value not in (None, ""):
            rest = query.copy()
            for key in (name, "page"):
                rest.pop(key, None)
            found.append(Chip(write_label(value), rest.urlencode()))
    return found


def _matching(listings: ListingQuerySet, text: str) -> ListingQuerySet:
    query = search_query(text)
    if query is None:
        # Punctuation alone finds nothing; an empty search finds everything.
        return listings.none() if text else listings
    # Listings are indexed with the teacher's name at publication; this also finds teachers by their current name.
    named = Teacher.objects.filter(display_name__icontains=text, status=Teacher.Status.APPROVED)
    teacher_ids = list(named.values_list("pk", flat=True)[:_MOST_TEACHERS])
    return listings.filter(Q(search=query) | Q(teacher__in=teacher_ids)).annotate(rank=SearchRank(F("search"), query))


def _in_price_range(listings: ListingQuerySet, form: BrowseForm) -> ListingQuerySet:
    low, high = form.cleaned_data.get("min_price"), form.cleaned_data.get("max_price")
    if low is None and high is None:
        return listings
    prices = _prices_now(form.display_currency)
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


_CONDITIONS: dict[str, Callable[[Any], Q]] = {
    "kind": lambda domain: Q(domain=domain),
    "subject": lambda subject: Q(subject=subject) | Q(subject__broader=subject),
    "level": lambda level: Q(levels__contains=[level]),
    "language": lambda code: Q(language=code),
    "where": lambda where: Q(is_online=where == "online"),
    "place": lambda place: Q(place__icontains=place),
    "currency": lambda code: Q(Exists(_prices_now(code))),
    "from_date": _starts_on_or_after,
    "to_date": _starts_on_or_before,
    "teacher": lambda name: Q(teacher__slug=name.lower()) | Q(teacher__display_name__icontains=name),
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
