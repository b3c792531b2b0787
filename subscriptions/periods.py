"""What a paid period gives, and what becomes of its money. Each function runs in the transaction that records why.

Opening divides the price into credits and slices of access. Each of these parts ends exactly once: earned, released to the
platform, or given back. Locks are taken in one order: subscription, period, slices, credits.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from money import Money
from subscriptions.books import book_credit_released, book_opening, book_slice_released
from subscriptions.models import AccessSlice, LessonCredit, SubscriptionPeriod
from subscriptions.sharing import slices_of, values_of_credits


def open_period(period: SubscriptionPeriod) -> None:
    """Begin what was paid for: its lesson credits, and the money to be shared. A second call has no effect.

    Call with the period locked, in the transaction that settles its order. A revoked period is never opened again.
    """
    if period.opened_at is not None or period.revoked_at is not None:
        return
    period.opened_at = timezone.now()
    period.save(update_fields=["opened_at"])
    paid = _deferred_of(period)
    values = values_of_credits(paid.minor, count=period.credits, value_minor=period.credit_value_minor)
    LessonCredit.objects.bulk_create(
        LessonCredit(
            period=period, number=number, value_minor=value, currency=period.currency, usable_until=period.ends_at
        )
        for number, value in enumerate(values, start=1)
    )
    _open_slices(period, paid.minor - sum(values))
    _carry_credits_over(period)
    book_opening(period, paid)


def revoke_period(period: SubscriptionPeriod) -> None:
    """End what was paid for, since the money goes back to the student. A second call has no effect.

    Credits that confirmed a lesson stay taken: the lesson takes place, and its teacher earns it. What teachers have earned
    stays theirs; the platform bears it. Call with the period locked.
    """
    if period.revoked_at is not None:
        return
    now = timezone.now()
    period.revoked_at = now
    period.save(update_fields=["revoked_at"])
    for part in _locked_slices(period):
        part.state, part.ended_at = AccessSlice.State.REVOKED, now
        part.save(update_fields=["state", "ended_at"])
        book_slice_released(part)
    for credit in _locked_credits(period):
        release_credit(credit, LessonCredit.State.REVOKED, at=now)


def release_credit(credit: LessonCredit, state: LessonCredit.State, *, at: datetime) -> None:
    """End a locked, unused credit: it lapsed or is taken back, and its value is the platform's."""
    credit.state, credit.ended_at = state, at
    credit.save(update_fields=["state", "ended_at"])
    book_credit_released(credit)


def _deferred_of(period: SubscriptionPeriod) -> Money:
    """What the sale credited to the platform's fees: the price without tax. Nothing for a period without an order."""
    line = period.line
    return Money(line.platform_fee_minor if line else 0, period.currency)


def _open_slices(period: SubscriptionPeriod, amount_minor: int) -> None:
    if not amount_minor:
        return
    slices = slices_of(period.starts_at, period.ends_at, amount_minor)
    AccessSlice.objects.bulk_create(
        AccessSlice(
            period=period,
            number=number,
            starts_at=each.starts_at,
            ends_at=each.ends_at,
            amount_minor=each.amount_minor,
            currency=period.currency,
        )
        for number, each in enumerate(slices, start=1)
        if each.amount_minor
    )


def _carry_credits_over(period: SubscriptionPeriod) -> None:
    """Let what is unused of earlier periods be used until this one ends. A credit is carried over once."""
    left = LessonCredit.objects.filter(
        period__subscription=period.subscription_id,
        state__in=LessonCredit.OPEN,
        is_carried=False,
        period__ends_at__lte=period.starts_at,
    )
    ids = list(left.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    LessonCredit.objects.filter(pk__in=ids).update(usable_until=period.ends_at, is_carried=True)


def _locked_slices(period: SubscriptionPeriod) -> list[AccessSlice]:
    own = AccessSlice.objects.filter(period=period, state=AccessSlice.State.OPEN).order_by("pk")
    slices = list(own.select_for_update(of=("self",)))
    for part in slices:
        part.period = period
    return slices


def _locked_credits(period: SubscriptionPeriod) -> list[LessonCredit]:
    own = LessonCredit.objects.filter(period=period, state=LessonCredit.State.UNUSED).order_by("pk")
    credits_ = list(own.select_for_update(of=("self",)))
    for credit in credits_:
        credit.period = period
    return credits_
