"""Publish, change and withdraw listings. The domains call it in the transaction of their own change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import Teacher
from catalogue.models import Listing, ListingPrice, ListingQuerySet, Subject
from catalogue.search import IndexedText
from catalogue.spelling import learn_words
from money import Money

_SUMMARY_LENGTH = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyPrice:
    """The price of an offer until a moment; from then on its regular price in the same currency applies."""

    amount: Money
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDraft:
    """Everything the catalogue shows about one offer. `url` is a path on this site; at most one price per currency.

    `place_zone` is the time zone of its place; None online, where times are shown in the reader's zone. It is shown until
    `closes_at`, by default `starts_at`: until the moment from which the domain refuses to sell it.
    """

    domain: str
    reference: str
    kind_label: str
    url: str
    title: str
    summary: str
    teacher: Teacher
    prices: Sequence[Money]
    subject: Subject | None = None
    levels: Sequence[str] = field(default_factory=tuple)
    language: str = "en"
    is_online: bool = False
    place: str = ""
    starts_at: datetime | None = None
    closes_at: datetime | None = None
    # The name of its picture in the public storage.
    cover: str = ""
    place_zone: ZoneInfo | None = None
    early_prices: Sequence[EarlyPrice] = field(default_factory=tuple)
    # True if teacher and student agree on a time after a request.
    is_by_request: bool = False
    is_sold_out: bool = False
    # True if some plan opens it, beside its own price.
    is_in_plans: bool = False
    search_text: str = ""


@transaction.atomic
def publish_listing(draft: ListingDraft) -> Listing:
    """Add an offer to the catalogue, or update its listing."""
    zone = draft.place_zone
    listing, _ = Listing.objects.update_or_create(
        domain=draft.domain,
        reference=draft.reference,
        defaults={
            "kind_label": draft.kind_label,
            "url": draft.url,
            "title": draft.title,
            "summary": _shorten(draft.summary),
            "teacher": draft.teacher,
            "subject": draft.subject,
            "levels": list(draft.levels),
            "language": draft.language,
            "is_online": draft.is_online,
            "place": draft.place,
            "starts_at": draft.starts_at,
            "closes_at": draft.closes_at or draft.starts_at,
            "cover": draft.cover,
            "time_zone": zone.key if zone else "",
            "starts_on": draft.starts_at.astimezone(zone).date() if zone and draft.starts_at else None,
            "is_by_request": draft.is_by_request,
            "is_sold_out": draft.is_sold_out,
            "is_in_plans": draft.is_in_plans,
            "search_text": draft.search_text,
        },
    )
    _set_prices(listing, draft)
    index_listings(Listing.objects.filter(pk=listing.pk))
    return listing


def withdraw_listing(*, domain: str, reference: str) -> None:
    """Remove an offer from the catalogue, if it is there."""
    Listing.objects.filter(domain=domain, reference=reference).delete()


def mark_sold_out(*, domain: str, reference: str, is_sold_out: bool) -> None:
    """Mark a listing as sold out or not, if it is in the catalogue."""
    Listing.objects.filter(domain=domain, reference=reference).update(is_sold_out=is_sold_out)


def index_listings(listings: ListingQuerySet) -> None:
    """Update the search index of listings, for example after a subject or teacher was renamed."""
    learnt = []
    for listing in listings.select_related("teacher", "subject__broader"):
        indexed = indexed_text(listing)
        Listing.objects.filter(pk=listing.pk).update(search=indexed.vector())
        learnt += [indexed.title, indexed.teacher, indexed.place, indexed.names, indexed.text]
    learn_words(learnt)


def indexed_text(listing: Listing) -> IndexedText:
    """What a listing is found by. Its teacher and subjects should be loaded."""
    subject = listing.subject
    subjects = [subject.name, subject.broader.name if subject.broader else ""] if subject else []
    return IndexedText(
        title=listing.title,
        teacher=listing.teacher.display_name,
        place=listing.place,
        names=" ".join([*subjects, listing.kind_label]),
        text=f"{listing.summary} {listing.search_text}",
    )


def _set_prices(listing: Listing, draft: ListingDraft) -> None:
    early = {price.amount.currency: price for price in draft.early_prices}
    rows = [
        _price_row(listing, price, holds_from=early[price.currency].until if price.currency in early else None)
        for price in draft.prices
    ]
    rows += [_price_row(listing, price.amount, holds_until=price.until) for price in early.values()]
    listing.prices.all().delete()
    ListingPrice.objects.bulk_create(rows)


def _price_row(
    listing: Listing, amount: Money, *, holds_from: datetime | None = None, holds_until: datetime | None = None
) -> ListingPrice:
    return ListingPrice(
        listing=listing,
        amount_minor=amount.minor,
        currency=amount.currency,
        holds_from=holds_from,
        holds_until=holds_until,
    )


def _shorten(summary: str) -> str:
    if len(summary) <= _SUMMARY_LENGTH:
        return summary
    return summary[: _SUMMARY_LENGTH - 1].rsplit(" ", 1)[0] + "…"
