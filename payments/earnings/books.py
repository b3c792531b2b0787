"""Record in the ledger what happened to a sale. Each function runs in the transaction of the event itself.

Sources are made of order numbers and keys sent to Stripe, never of our primary keys alone: a restored backup issues
those again, and the books can be rebuilt from orders and Stripe.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ledger.entries import AccountKind, Entry, JournalKind
from ledger.journals import record_journal
from ledger.locks import lock_teacher_accounts
from payments.earnings import entries
from payments.earnings.entries import Portion, RefundedPart
from payments.earnings.platform_discounts import portion_by_platform, reclaim_discount, subject_of
from payments.models import Earning, Order, OrderLine, Payment, Refund, RefundAllocation


def book_sale(
    order: Order,
    *,
    delivered: Sequence[OrderLine],
    undeliverable: Sequence[OrderLine],
    happened_at: datetime | None = None,
) -> None:
    """Book a paid order, and remember the teachers' shares that must mature. Call within the settlement.

    `happened_at` is for a payment that was reported long after it was made.
    """
    record_journal(
        source=f"order:{order.number}:settled",
        kind=JournalKind.SALE,
        subject=subject_of(order),
        entries=entries.entries_of_sale(
            [
                Portion(
                    teacher_id=line.teacher_id, fee=line.platform_fee, share=line.teacher_share, tax=line.platform_tax
                )
                for line in delivered
            ],
            [line.amount for line in undeliverable],
            by_platform=[portion_by_platform(line) for line in delivered],
        ),
        effective_at=happened_at,
    )
    Earning.objects.bulk_create(
        Earning(line=line, teacher_id=line.teacher_id, currency=order.currency, share_minor=line.earned_share.minor)
        for line in delivered
        if line.teacher_id and line.earned_share.minor
    )


def book_second_payment(payment: Payment) -> None:
    """Book a payment of an order that was paid before: it is owed to the student."""
    record_journal(
        source=f"payment:{payment.reference}:second",
        kind=JournalKind.SECOND_PAYMENT,
        subject=subject_of(payment.order),
        entries=entries.entries_of_second_payment(payment.amount),
    )


def book_allocations(refund: Refund, allocations: Sequence[RefundAllocation]) -> None:
    """Book what was just allocated of a live refund: held while the refund is under way, taken if it succeeded before.

    Call with the order locked, right after the allocations were written. Locks the teachers' accounts, so that a payout
    of the same money comes before or after, and never between.
    """
    lock_teacher_accounts(teachers_of(allocation.line for allocation in allocations), refund.currency)
    for allocation in allocations:
        if refund.has_succeeded:
            _book_late_allocation(refund, allocation)
        else:
            hold_allocation(refund, allocation)
    follow_discounts([allocation.line_id for allocation in allocations])


def book_refund_success(refund: Refund) -> None:
    """Book a refund that Stripe confirmed. Call with the order locked."""
    allocations = _allocations_of(refund)
    record_journal(
        source=f"refund:{refund.idempotency_key}:succeeded",
        kind=JournalKind.REFUND,
        subject=subject_of(refund.payment.order),
        entries=entries.entries_of_refund(
            [part_of(allocation) for allocation in allocations],
            refund.to_allocate,
            rest_account=_account_of_rest(refund),
        ),
    )


def book_refund_end(refund: Refund, *, had_succeeded: bool) -> None:
    """Book that a refund failed or was cancelled: everyone gets back what it had taken. Call with the order locked."""
    allocations = _allocations_of(refund)
    follow_discounts([allocation.line_id for allocation in allocations])
    if not had_succeeded:
        for allocation in allocations:
            _release(refund, allocation)
        return
    record_journal(
        source=f"refund:{refund.idempotency_key}:failed",
        kind=JournalKind.REFUND_FAILED,
        subject=subject_of(refund.payment.order),
        entries=entries.entries_of_failed_refund(
            [(part_of(allocation), account_of_share(allocation.line)) for allocation in allocations],
            refund.to_allocate,
            rest_account=_account_of_rest(refund),
        ),
    )


def follow_discounts(line_ids: Iterable[int]) -> None:
    """Book what the platform takes back of its discounts, now that refunds or disputes took other parts of these lines.

    Call with the order locked, after the change. What did not change is not booked again.
    """
    for line in OrderLine.objects.filter(pk__in=line_ids, platform_discount_minor__gt=0).select_related("order"):
        if line.was_delivered:
            reclaim_discount(line, share_account=account_of_share(line))


def teachers_of(lines: Iterable[OrderLine]) -> set[int]:
    """The ids of those who have a share in these lines. What the platform itself sold has no teacher."""
    return {line.teacher_id for line in lines if line.teacher_id}


def account_of_share(line: OrderLine) -> AccountKind:
    """Where a line's share is now: pending, or available once it has matured. Call with the order locked."""
    has_matured = Earning.objects.filter(line=line, matured_at__isnull=False).exists()
    return AccountKind.TEACHER_AVAILABLE if has_matured else AccountKind.TEACHER_PENDING


def part_of(allocation: RefundAllocation) -> RefundedPart:
    """The part of a refund as the rules see it."""
    line = allocation.line
    return RefundedPart(
        portion=Portion(
            teacher_id=line.teacher_id, fee=allocation.fee, share=allocation.share, tax=allocation.platform_tax
        ),
        is_delivered=line.was_delivered,
    )


def hold_allocation(refund: Refund, allocation: RefundAllocation) -> None:
    """Hold the teacher's part of an allocation until the refund has succeeded or ended."""
    line = allocation.line
    if line.was_delivered:
        held = entries.entries_of_hold(allocation.share, line.teacher_id, from_account=account_of_share(line))
        _record_part(refund, line, "held", kind=JournalKind.REFUND_HELD, booked=held)


def _release(refund: Refund, allocation: RefundAllocation) -> None:
    line = allocation.line
    if line.was_delivered:
        released = entries.entries_of_release(allocation.share, line.teacher_id, to_account=account_of_share(line))
        _record_part(refund, line, "released", kind=JournalKind.REFUND_RELEASED, booked=released)


def _book_late_allocation(refund: Refund, allocation: RefundAllocation) -> None:
    line = allocation.line
    given_back = entries.entries_of_late_allocation(part_of(allocation), share_account=account_of_share(line))
    _record_part(refund, line, "allocated", kind=JournalKind.REFUND_ALLOCATED, booked=given_back)


def _record_part(refund: Refund, line: OrderLine, what: str, *, kind: JournalKind, booked: Sequence[Entry]) -> None:
    record_journal(
        source=f"refund:{refund.idempotency_key}:line:{line.pk}:{what}",
        kind=kind,
        subject=subject_of(line.order),
        description=line.title,
        entries=booked,
    )


def _allocations_of(refund: Refund) -> list[RefundAllocation]:
    refund.refresh_from_db(fields=["allocated_minor"])
    return list(refund.allocations.select_related("line__order", "refund").order_by("pk"))


def _account_of_rest(refund: Refund) -> AccountKind:
    is_second = refund.reason == Refund.Reason.SECOND_PAYMENT
    return AccountKind.REFUNDS_DUE if is_second else AccountKind.REFUNDS_TO_ALLOCATE
