"""What subscriptions bring in and lose, by currency and plan: for staff who decide about plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from money import Money
from subscriptions.models import Subscription

_Status = Subscription.Status
_MONTHS_IN_YEAR = 12
_CHURN_DAYS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyFigures:
    """The subscriptions of one currency. Recurring revenue counts a twelfth of a year, and nothing in trials."""

    monthly: Money
    active: int
    trials: int
    past_due: int
    cancelling: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Churn:
    """How many of those that were paid for 30 days ago have ended since."""

    before: int
    ended: int

    @property
    def percent(self) -> float:
        return round(100 * self.ended / self.before, 1) if self.before else 0.0


def figures_by_currency() -> Sequence[CurrencyFigures]:
    """One row for each currency with live subscriptions."""
    is_paying = Q(status__in=[_Status.ACTIVE, _Status.PAST_DUE])
    rows = (
        Subscription.objects.live()
        .values(currency=F("price__currency"))
        .annotate(
            by_month=Sum("price__amount_minor", filter=is_paying & Q(price__interval="month"), default=0),
            by_year=Sum("price__amount_minor", filter=is_paying & Q(price__interval="year"), default=0),
            active=Count("pk", filter=Q(status=_Status.ACTIVE)),
            trials=Count("pk", filter=Q(status=_Status.TRIALING)),
            past_due=Count("pk", filter=Q(status=_Status.PAST_DUE)),
            cancelling=Count("pk", filter=Q(cancel_at_period_end=True)),
        )
        .order_by("currency")
    )
    return [
        CurrencyFigures(
            monthly=Money(row["by_month"] + row["by_year"] // _MONTHS_IN_YEAR, row["currency"]),
            active=row["active"],
            trials=row["trials"],
            past_due=row["past_due"],
            cancelling=row["cancelling"],
        )
        for row in rows
    ]


def churn(at: datetime | None = None) -> Churn:
    """Of the last 30 days, or of those before a moment."""
    until = at or timezone.now()
    since = until - timedelta(days=_CHURN_DAYS)
    had_begun = Subscription.objects.filter(started_at__lte=since).exclude(ended_at__lte=since)
    return Churn(before=had_begun.count(), ended=had_begun.filter(ended_at__lte=until).count())
