"""Record in the ledger what becomes of a paid period's money. Each function runs in the transaction of the event itself.

Sources name the invoice and the part of its period: they are the same when the books are derived again, and a repeat
changes nothing. The subject is the invoice, not the order, so that teachers do not see whose subscription it was.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.formats import date_format

from ledger.entries import JournalKind
from ledger.journals import record_journal
from money import Money, split_by_rate
from payments.earnings.entries import Portion
from subscriptions.entries import entries_of_earning, entries_of_opening, entries_of_release, portion_of
from subscriptions.models import AccessShare, AccessSlice, LessonCredit, SubscriptionPeriod


def subject_of(period: SubscriptionPeriod) -> str:
    """What the journals of a period are about; also how all their sources begin."""
    return f"subscription:{period.stripe_invoice_id}"


def source_of_credit(credit: LessonCredit) -> str:
    """How the sources of a credit's journals begin."""
    return f"{subject_of(credit.period)}:credit:{credit.number}"


def source_of_slice(part: AccessSlice) -> str:
    """How the sources of a slice's journals begin."""
    return f"{subject_of(part.period)}:access:{part.number}"


def portion_of_credit(credit: LessonCredit) -> Portion:
    """What teacher and platform get for a credit that was taken."""
    if credit.teacher_id is None or credit.commission_bps is None:
        raise ValueError(f"{credit} was not taken")
    return portion_of(credit.teacher_id, split_by_rate(credit.value, credit.commission_bps))


def portion_of_share(share: AccessShare) -> Portion:
    """What teacher and platform get for the use of one teacher's courses."""
    return Portion(teacher_id=share.teacher_id, fee=share.fee, share=share.share)


def rest_of_slice(part: AccessSlice, shares: Iterable[AccessShare]) -> Money:
    """What was not earned by use, of a shared slice."""
    earned = sum(share.fee_minor + share.share_minor for share in shares)
    return Money(part.amount_minor - earned, part.currency)


def book_opening(period: SubscriptionPeriod, amount: Money) -> None:
    """Defer what was paid for a period. Call within its settlement."""
    record_journal(
        source=f"{subject_of(period)}:opened",
        kind=JournalKind.SUBSCRIPTION_DEFERRED,
        subject=subject_of(period),
        entries=entries_of_opening(amount),
    )


def book_credit_earned(credit: LessonCredit) -> None:
    """A lesson taken with the credit is earned."""
    record_journal(
        source=f"{source_of_credit(credit)}:earned",
        kind=JournalKind.CREDIT_EARNED,
        subject=subject_of(credit.period),
        description=credit.title,
        entries=entries_of_earning([portion_of_credit(credit)], Money.zero(credit.currency)),
    )


def book_credit_released(credit: LessonCredit) -> None:
    """The credit lapsed, or was taken back with a refund."""
    record_journal(
        source=f"{source_of_credit(credit)}:released",
        kind=JournalKind.SUBSCRIPTION_RELEASED,
        subject=subject_of(credit.period),
        entries=entries_of_release(credit.value),
    )


def book_slice_shared(part: AccessSlice, shares: Iterable[AccessShare]) -> None:
    """A slice is over: teachers earn by use, and the platform what is left."""
    shares = list(shares)
    plan = part.period.price.plan
    record_journal(
        source=f"{source_of_slice(part)}:earned",
        kind=JournalKind.ACCESS_EARNED,
        subject=subject_of(part.period),
        description=f"{plan.name}, {date_format(part.starts_at, 'j M')}–{date_format(part.ends_at, 'j M Y')}",
        entries=entries_of_earning([portion_of_share(share) for share in shares], rest_of_slice(part, shares)),
    )


def book_slice_released(part: AccessSlice) -> None:
    """The price of the slice goes back to the student."""
    record_journal(
        source=f"{source_of_slice(part)}:released",
        kind=JournalKind.SUBSCRIPTION_RELEASED,
        subject=subject_of(part.period),
        entries=entries_of_release(part.amount),
    )
