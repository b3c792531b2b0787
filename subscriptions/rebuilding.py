"""Derive the journals of subscriptions a second time, from their periods, credits and slices."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.entries import JournalKind
from money import Money
from payments.rebuilding.drafts import Draft
from subscriptions.books import (
    portion_of_credit,
    portion_of_share,
    rest_of_slice,
    source_of_credit,
    source_of_slice,
    subject_of,
)
from subscriptions.entries import entries_of_earning, entries_of_opening, entries_of_release
from subscriptions.models import AccessSlice, LessonCredit, SubscriptionPeriod

_PERIODS_AT_ONCE = 200


def drafts_of_subscriptions() -> Iterator[list[Draft]]:
    """The journals of all periods, a chunk of periods at a time. Constant memory and queries per chunk."""
    last = 0
    opened = SubscriptionPeriod.objects.filter(opened_at__isnull=False).order_by("pk")
    opened = opened.prefetch_related("lesson_credits", "slices__shares")
    while periods := list(opened.filter(pk__gt=last)[:_PERIODS_AT_ONCE]):
        last = periods[-1].pk
        yield [draft for period in periods for draft in _drafts_of(period)]


def _drafts_of(period: SubscriptionPeriod) -> Iterator[Draft]:
    credits_, slices = list(period.lesson_credits.all()), list(period.slices.all())
    paid = sum(credit.value_minor for credit in credits_) + sum(part.amount_minor for part in slices)
    yield Draft(
        source=f"{subject_of(period)}:opened",
        kind=JournalKind.SUBSCRIPTION_DEFERRED,
        subject=subject_of(period),
        entries=entries_of_opening(Money(paid, period.currency)),
        effective_at=period.opened_at,
    )
    for credit in credits_:
        credit.period = period
        yield from _ending_of_credit(credit)
    for part in slices:
        part.period = period
        yield from _ending_of_slice(part)


def _ending_of_credit(credit: LessonCredit) -> Iterator[Draft]:
    if credit.state in LessonCredit.OPEN:
        return
    is_earned = credit.state == LessonCredit.State.EARNED
    yield Draft(
        source=f"{source_of_credit(credit)}:{'earned' if is_earned else 'released'}",
        kind=JournalKind.CREDIT_EARNED if is_earned else JournalKind.SUBSCRIPTION_RELEASED,
        subject=subject_of(credit.period),
        entries=entries_of_earning([portion_of_credit(credit)], Money.zero(credit.currency))
        if is_earned
        else entries_of_release(credit.value),
        effective_at=credit.ended_at,
    )


def _ending_of_slice(part: AccessSlice) -> Iterator[Draft]:
    if part.state == AccessSlice.State.OPEN:
        return
    is_shared = part.state == AccessSlice.State.SHARED
    shares = list(part.shares.all())
    for share in shares:
        share.slice = part
    yield Draft(
        source=f"{source_of_slice(part)}:{'earned' if is_shared else 'released'}",
        kind=JournalKind.ACCESS_EARNED if is_shared else JournalKind.SUBSCRIPTION_RELEASED,
        subject=subject_of(part.period),
        entries=entries_of_earning([portion_of_share(share) for share in shares], rest_of_slice(part, shares))
        if is_shared
        else entries_of_release(part.amount),
        effective_at=part.ended_at,
    )
