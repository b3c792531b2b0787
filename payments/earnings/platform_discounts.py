"""What the platform pays into lines whose discount it bears, and takes back as the student's money goes back."""

from __future__ import annotations

from django.utils import timezone

from ledger.entries import AccountKind, JournalKind
from ledger.journals import record_journal
from money import Money
from payments.earnings.entries import Portion, entries_of_reclaim
from payments.models import DiscountStep, Order, OrderLine


def subject_of(order: Order) -> str:
    """What pages link a journal about an order to."""
    return f"order:{order.number}"


def portion_by_platform(line: OrderLine) -> Portion:
    """What the platform pays into a line, shared between the teacher and its own fee; zero if it bears no discount."""
    return _portion(line, line.platform_discount_minor, line.platform_discount_share_minor)


def reclaim_discount(line: OrderLine, *, share_account: AccountKind) -> None:
    """Take back as much of the platform's discount as is gone of the line, or pay it again if less is gone than before.

    `share_account` is where the teacher's share is now. Call with the order locked and the line read after the change.
    """
    reclaimed = reclaimed_of(line)
    share = _half_up(line.platform_discount_share_minor, reclaimed, line.platform_discount_minor)
    if (reclaimed, share) == (line.reclaimed_minor, line.reclaimed_share_minor):
        return
    change = _portion(line, reclaimed - line.reclaimed_minor, share - line.reclaimed_share_minor)
    line.reclaimed_minor, line.reclaimed_share_minor = reclaimed, share
    line.save(update_fields=["reclaimed_minor", "reclaimed_share_minor"])
    step = DiscountStep.objects.create(
        line=line,
        number=DiscountStep.objects.filter(line=line).count() + 1,
        reclaimed_minor=reclaimed,
        reclaimed_share_minor=share,
        at=timezone.now(),
    )
    record_journal(
        source=source_of(line, step.number),
        kind=JournalKind.DISCOUNT_RECLAIMED,
        subject=subject_of(line.order),
        description=line.title,
        entries=entries_of_reclaim(change, share_account=share_account),
    )


def reclaimed_of(line: OrderLine) -> int:
    """What the platform takes back of its discount on a line as it stands, in minor units.

    The part that refunds and disputes took of the price, by the running total. A line that cost nothing has no refunds:
    there it is the part that was revoked.
    """
    if line.amount_minor:
        return _half_up(line.platform_discount_minor, line.refunded_minor + line.disputed_minor, line.amount_minor)
    return _half_up(line.platform_discount_minor, line.revoked_quantity, line.quantity)


def source_of(line: OrderLine, number: int) -> str:
    """The source of the journal of a line's numbered step."""
    return f"line:{line.order.number}:{line.pk}:discount:{number}"


def portion_between(line: OrderLine, before: DiscountStep | None, after: DiscountStep) -> Portion:
    """What a step took back beyond the one before it."""
    return _portion(
        line,
        after.reclaimed_minor - (before.reclaimed_minor if before else 0),
        after.reclaimed_share_minor - (before.reclaimed_share_minor if before else 0),
    )


def _portion(line: OrderLine, minor: int, share_minor: int) -> Portion:
    currency = line.order.currency
    return Portion(
        teacher_id=line.teacher_id, fee=Money(minor - share_minor, currency), share=Money(share_minor, currency)
    )


def _half_up(whole: int, part: int, of: int) -> int:
    return (2 * whole * part + of) // (2 * of)
