"""Refunds that wait for the bank: what is owed to the student is refunded by itself once the dispute is won.

What was cancelled while it was disputed, or could not be refunded because of the dispute, was not taught for this money.
If the dispute is lost, the bank has given it back, and nothing more is owed.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from django.db.models import Max, Sum

from money import Money
from money.limits import limits_of
from notifications.alerts import clear_alert, raise_alert
from payments.disputes.taken import taken_by
from payments.mails import queue_refunded_after_dispute
from payments.models import (
    LineCancellation,
    OrderLine,
    Payment,
    Refund,
    RefundAfterDispute,
    RefundAllocation,
)
from payments.refunds.plan import LinePart, OfLines, RefundRefused
from payments.refunds.requests import request_refund

log = structlog.get_logger()

# The refunds that students are owed whatever staff decide.
_OWED = (Refund.Reason.UNDELIVERABLE, Refund.Reason.STUDENT_CANCELLED, Refund.Reason.TEACHER_CANCELLED)
# Stripe's reasons for a refund that a dispute prevented, which it may report before the dispute.
_PREVENTED = ("charge_disputed", "charge_for_pending_refund_disputed")


def held_of_line(line: OrderLine) -> Money:
    """How much of a line is claimed by disputes that are not decided. Call with the order locked, if it is to last."""
    allocations = line.dispute_allocations.filter(amount_minor__gt=0).select_related("dispute__payment")
    held = [each.amount_minor for each in allocations if not taken_by(each.dispute).is_final]
    return Money(sum(held), line.order.currency)


def refund_after_dispute(
    line: OrderLine, amount: Money, *, quantity: int, reason: Refund.Reason, requested_by_id: int | None
) -> None:
    """Refund an amount of a line, with this many places, once its disputes are won. Call with the order locked."""
    _remember(line, amount.minor, quantity=quantity, reason=reason, requested_by_id=requested_by_id)


def wait_for_dispute(refund: Refund) -> bool:
    """Repeat a refund that failed because of a dispute once that is won; returns whether a dispute is open now.

    Call with the order locked, once the disputes claim what the refund returned. A repeat changes nothing.
    """
    if refund.reason not in _OWED:
        return False
    is_open = has_open_claims(refund.payment)
    is_new = not RefundAfterDispute.objects.filter(failed=refund).exists()
    if is_new and (is_open or refund.failure_reason.startswith(_PREVENTED)):
        for part in refund.allocations.select_related("line__order"):
            _remember(
                part.line,
                part.amount_minor,
                quantity=part.quantity,
                reason=Refund.Reason(refund.reason),
                requested_by_id=refund.requested_by_id,
                failed=refund,
            )
    return is_open


def refund_what_waited(payment: Payment) -> None:
    """Request the refunds that waited for the disputes of a payment, if all are decided. A repeat requests nothing.

    Call with the order locked, after a dispute has changed.
    """
    if not payment.has_succeeded or has_open_claims(payment):
        return
    for waiting in waiting_for(payment):
        due = due_now(waiting)
        if due.minor:
            _request(waiting, due)


def waiting_for(payment: Payment) -> Iterable[RefundAfterDispute]:
    """The refunds that wait, or waited, for the disputes of a payment."""
    return RefundAfterDispute.objects.select_related("line__order").filter(line__order=payment.order_id)


def has_open_claims(payment: Payment) -> bool:
    """Whether a dispute that is not decided claims anything of a payment."""
    claiming = payment.disputes.filter(claimed_minor__gt=0)
    return any(not taken_by(dispute).is_final for dispute in claiming)


def due_now(waiting: RefundAfterDispute) -> Money:
    """What is still owed of it: neither refunded since nor lost to the bank, and at most what is left of the line."""
    line = waiting.line
    line.refresh_from_db(fields=["refunded_minor", "disputed_minor"])
    since = RefundAllocation.objects.filter(line=line, refund__in=Refund.objects.live())
    refunded = since.filter(refund__gt=waiting.last_refund_id).aggregate(minor=Sum("amount_minor"))["minor"] or 0
    lost = line.dispute_allocations.filter(dispute__closed_at__gte=waiting.created_at)
    left = waiting.amount_minor - refunded - (lost.aggregate(minor=Sum("amount_minor"))["minor"] or 0)
    due = Money(max(0, min(left, line.refundable.minor)), waiting.amount.currency)
    return limits_of(due.currency).round_down(due)


def _remember(  # noqa: PLR0913  # each is one field of the record
    line: OrderLine,
    amount_minor: int,
    *,
    quantity: int,
    reason: Refund.Reason,
    requested_by_id: int | None,
    failed: Refund | None = None,
) -> None:
    last = Refund.objects.filter(payment__order=line.order_id).aggregate(pk=Max("pk"))["pk"]
    RefundAfterDispute.objects.create(
        line=line,
        amount_minor=amount_minor,
        quantity=quantity,
        reason=reason,
        requested_by_id=requested_by_id,
        failed=failed,
        last_refund_id=last or 0,
    )


def _request(waiting: RefundAfterDispute, due: Money) -> None:
    line = waiting.line
    line.refresh_from_db(fields=["refunded_quantity"])
    again = f":after:{waiting.refund_id}" if waiting.refund_id else ""
    quantity = min(waiting.quantity, line.quantity - line.refunded_quantity)
    try:
        refund = request_refund(
            order_id=line.order_id,
            wanted=OfLines([LinePart(line_id=line.pk, amount=due, quantity=quantity)]),
            reason=Refund.Reason(waiting.reason),
            request_key=f"after-dispute:{waiting.pk}{again}",
            note="The dispute was won.",
            requested_by_id=waiting.requested_by_id,
        )
    except RefundRefused as refusal:
        _alert_refused(waiting, due, refusal)
        return
    waiting.refund = refund
    waiting.save(update_fields=["refund"])
    LineCancellation.objects.filter(line=line, refund=None).update(refund=refund)
    if waiting.failed_id:
        clear_alert(key=f"refund-failed:{waiting.failed_id}")
    queue_refunded_after_dispute(line, refund)
    log.info("refunded_after_dispute", order=line.order.number, line=line.pk, amount=str(due))


def _alert_refused(waiting: RefundAfterDispute, due: Money, refusal: RefundRefused) -> None:
    raise_alert(
        key=f"refund-after-dispute:{waiting.pk}",
        title=f"Order {waiting.line.order.number}: {due} is owed after a dispute, but could not be refunded",
        detail={"order": waiting.line.order.number, "line": waiting.line.title, "refusal": str(refusal)},
    )
