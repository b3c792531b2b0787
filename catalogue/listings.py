"""Publish, change and withdraw listings. Called by the domains, in the transaction of their own change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.postgres.search import SearchVector
from django.db import transaction
from django.db.models import Value

from accounts.models import Teacher
from catalogue.models import Listing, ListingPrice, Subject
from money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingDraft:
    """Everything the catalogue shows about one offer."""

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
    is_sold_out: bool = False
    search_text: str = ""


@transaction.atomic
def publish_listing(draft: ListingDraft) -> Listing:
    """Show an offer in the catalogue, or bring its listing up to date."""
    words = " ".join([draft.teacher.display_name, draft.subject.name if draft.subject else "", draft.place])
    listing, _ = Listing.objects.update_or_create(
        domain=draft.domain,
        reference=draft.reference,
        defaults={
            "kind_label": draft.kind_label,
            "url": draft.url,
            "title": draft.title,
            "summary": draft.summary[:300],
            "teacher": draft.teacher,
            "subject": draft.subject,
            "levels": list(draft.levels),
            "language": draft.language,
            "is_online": draft.is_online,
            "place": draft.place,
            "starts_at": draft.starts_at,
            "is_sold_out": draft.is_sold_out,
            "search": SearchVector(Value(draft.title), weight="A", config="english")
            + SearchVector(Value(words), weight="B", config="simple")
            + SearchVector(Value(f"{draft.summary} {draft.search_text}"), weight="C", config="english"),
        },
    )
    listing.prices.exclude(currency__in=[price.currency for price in draft.prices]).delete()
    for price in draft.prices:
        ListingPrice.objects.update_or_create(
            listing=listing, currency=price.currency, defaults={"amount_minor": price.minor}
        )
    return listing


def withdraw_listing(*, domain: str, reference: str) -> None:
    """Take an offer out of the catalogue. Harmless if it is not there."""
    Listing.objects.filter(domain=domain, reference=reference).delete()


def mark_sold_out(*, domain: str, reference: str, is_sold_out: bool) -> None:
    """Show whether places are left."""
    Listing.objects.filter(domain=domain, reference=reference).update(is_sold_out=is_sold_out)
