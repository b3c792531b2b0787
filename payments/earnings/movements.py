"""What changed a teacher's money, journal by journal: sales, refunds, lost disputes, payouts.

What only moves between their own accounts (a share that matures, a hold) changes nothing in total and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import TruncMonth

from ledger.entries import JournalKind
from ledger.models import Posting
from money import Money
from payments.earnings.journal_titles import title_of
from payments.models import OrderLine

_PER_ORDER = "order:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One change of a teacher's money; negative if it became less."""

    at: datetime
    kind: str
    order_number: str
    description: str
    amount: Money

    @property
    def title(self) -> str:
        return title_of(self.kind)


def rows_of_movements(teacher_id: int, currency: str = "") -> QuerySet[Posting, Any]:
    """The teacher's journals, in one currency or in all, newest first, as rows that `as_movements` reads.

    Slice or filter them.
    """
    postings = Posting.objects.filter(account__teacher_id=teacher_id)
    if currency:
        postings = postings.filter(account__currency=currency)
    return (
        postings.values("journal_id", "effective_at", kind=F("journal__kind"), subject=F("journal__subject"))
        .annotate(currency=F("account__currency"), description=F("journal__description"), debited=Sum("amount_minor"))
        .exclude(debited=0)
        .order_by("-effective_at", "-journal_id", "-currency")
    )


def as_movements(rows: Iterable[Mapping[str, Any]], *, teacher_id: int) -> list[Movement]:
    """The movements of some rows. Two queries for any number of rows."""
    rows = list(rows)
    titles = _titles_by_order([_order_of(row["subject"]) for row in rows], teacher_id)
    return [
        Movement(
            at=row["effective_at"],
            kind=row["kind"],
            order_number=(number := _order_of(row["subject"])),
            description=row["description"] or titles.get(number, ""),
            amount=Money(-int(row["debited"]), row["currency"]),
        )
        for row in rows
    ]


def earned_by_month(teacher_id: int, currency: str, *, since: datetime, zone: tzinfo) -> dict[datetime, Money]:
    """What sales brought the teacher in each month, less refunds and lost disputes; keys are the months' first moments."""
    rows = (
        Posting.objects.filter(account__teacher_id=teacher_id, account__currency=currency, effective_at__gte=since)
        .exclude(journal__kind__in=[JournalKind.PAYOUT_PAID, JournalKind.PAYOUT_RETURNED])
        .annotate(month=TruncMonth("effective_at", tzinfo=zone))
        .values("month")
        .annotate(debited=Sum("amount_minor"))
    )
    return {row["month"]: Money(-int(row["debited"]), currency) for row in rows}


def _order_of(subject: str) -> str:
    return subject.removeprefix(_PER_ORDER) if subject.startswith(_PER_ORDER) else ""


def _titles_by_order(numbers: Sequence[str], teacher_id: int) -> dict[str, str]:
    titles: dict[str, str] = {}
    for number, title in _titles(set(numbers) - {""}, teacher_id):
        titles[number] = f"{titles[number]}, {title}" if number in titles else title
    return titles


def _titles(numbers: set[str], teacher_id: int) -> Iterator[tuple[str, str]]:
    lines = OrderLine.objects.filter(order__number__in=numbers, teacher_id=teacher_id).order_by("pk")
    for line in lines.select_related("order"):
        yield line.order.number, line.counted_title
