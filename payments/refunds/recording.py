"""Record the state of refunds at Stripe. The only way for a worker, an event or a sweep to do so.

A refund that was not requested here was made in Stripe's Dashboard; it is recorded as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from notifications.alerts import clear_alert, raise_alert
from payments.disputes.claiming import claim_anew
from payments.disputes.waiting_refunds import wait_for_dispute
from payments.earnings.books import book_refund_end, book_refund_success
from payments.earnings.stripe_costs import book_costs_of_refund
from payments.finding import find_payment, lock_order_of
from payments.models import Order, Payment, Refund
from payments.models.order import lines_in_lock_order
from payments.refunds.allocations import allocate_if_clear, propose_allocation
from payments.refunds.effects import apply_status
from payments.refunds.states import UNDER_WAY, Booking, RefundStatus, booking_of_new, change_after, read_status
from payments.stripe_objects import StripeRefund

log = structlog.get_logger()

_Status = Refund.Status
# Stripe's reason why a refund is pending: it waits for the platform's balance.
_BALANCE_TOO_LOW = "insufficient_funds"


class RefundDisagrees(Exception):
    """Stripe's refund contradicts the one its key or id points to. Staff must look at it."""


class NoRoomForRefund(Exception):
    """A refund made at Stripe and ours that are not sent yet exceed the payment together: Stripe will refuse one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRefund:
    """Our record of a refund, and whether Stripe's report changed its status."""

    refund: Refund
    has_changed: bool


def record_refund(stripe_refund: StripeRefund) -> RecordedRefund | None:
    """Record the state of a refund at Stripe; None if its payment is not ours. A repeat changes nothing.

    Raises RefundDisagrees, PaymentNotSettledYet, or NoRoomForRefund.
    """
    with transaction.atomic():
        payment = _payment_of(stripe_refund)
        if payment is None:
            return None
        order = lock_order_of(payment)
        refund = _find_ours(stripe_refund, payment)
        if refund is None:
            refund = _record_made_at_stripe(stripe_refund, order, payment)
            has_changed = True
        else:
            has_changed = _change_status(refund, stripe_refund)
        book_costs_of_refund(
            refund, given=stripe_refund.balance_transaction, returned=stripe_refund.failure_balance_transaction
        )
        if has_changed:
            apply_status(refund)
        _alert_while_balance_is_low(refund)
    log.info("refund_recorded", order=order.number, refund=refund.pk, status=refund.status, has_changed=has_changed)
    return RecordedRefund(refund=refund, has_changed=has_changed)


def record_refusal(refund: Refund, why: str, *, was_refunded_before: bool = False) -> None:
    """Mark the refund as failed, since Stripe refused it for good; its amount becomes refundable again.

    If all of the payment was refunded at Stripe before, the student has the money, and no mail says that they have not.
    """
    with transaction.atomic():
        lock_order_of(refund.payment)
        refused = Refund.objects.filter(pk=refund.pk, status=_Status.REQUESTED)
        if refused.update(status=_Status.FAILED, failure_reason=why[:300], ended_at=timezone.now()):
            refund.refresh_from_db()
            book_refund_end(refund, had_succeeded=False)
            _follow_failure(refund, was_refunded_before=was_refunded_before)
            if not was_refunded_before:
                apply_status(refund)


def _payment_of(stripe_refund: StripeRefund) -> Payment | None:
    known = Refund.objects.filter(stripe_refund_id=stripe_refund.id).select_related("payment").first()
    if known is None:
        return find_payment(
            payment_intent_id=stripe_refund.payment_intent_id,
            charge_id="",
            payment_reference=stripe_refund.payment_reference,
        )
    if known.payment.stripe_payment_intent_id != stripe_refund.payment_intent_id:
        raise RefundDisagrees(f"{stripe_refund.id} was a refund of another payment before.")
    return known.payment


def _find_ours(stripe_refund: StripeRefund, payment: Payment) -> Refund | None:
    """Our record of a refund: by its id, otherwise by the key that we sent, unless another refund has that key.

    If Stripe had refused a refund of ours, but one with its key exists all the same, that is recorded like any other
    made at Stripe.
    """
    known = Refund.objects.filter(stripe_refund_id=stripe_refund.id).first()
    if known is None and stripe_refund.refund_key:
        known = Refund.objects.filter(
            idempotency_key=stripe_refund.refund_key, stripe_refund_id=None, status=_Status.REQUESTED
        ).first()
    if known and (known.payment_id != payment.pk or known.amount != stripe_refund.amount):
        raise RefundDisagrees(
            f"{stripe_refund.id} is {stripe_refund.amount.minor} {stripe_refund.amount.currency} in minor units of"
            f" {payment.stripe_payment_intent_id}, which does not match refund {known.pk}."
        )
    return known


def _change_status(refund: Refund, stripe_refund: StripeRefund) -> bool:
    status = read_status(stripe_refund.status)
    change = change_after(refund.status, status)
    if change is None and refund.status != status:
        return False
    _copy_state(refund, stripe_refund, status)
    refund.save(
        update_fields=["status", "stripe_refund_id", "pending_reason", "failure_reason", "succeeded_at", "ended_at"]
    )
    if change is None:
        return False
    _book(refund, change.booking)
    if not refund.is_live:
        _follow_failure(refund)
    return True


def _follow_failure(refund: Refund, *, was_refunded_before: bool = False) -> None:
    """A dispute takes what it could not take as long as it counted as refunded; otherwise staff must see to it.

    What students are owed whatever staff decide is refunded by itself if that dispute is won.
    """
    claim_anew(refund.payment)
    if not wait_for_dispute(refund):
        _alert_failed(refund, was_refunded_before=was_refunded_before)


def _book(refund: Refund, booking: Booking) -> None:
    match booking:
        case Booking.TAKE:
            book_refund_success(refund)
        case Booking.RELEASE:
            book_refund_end(refund, had_succeeded=False)
        case Booking.RESTORE:
            book_refund_end(refund, had_succeeded=True)


def _copy_state(refund: Refund, stripe_refund: StripeRefund, status: RefundStatus) -> None:
    """Copy the state at Stripe to our record, without saving it. Times are when we recorded the change."""
    now = timezone.now()
    refund.status = status.value
    refund.stripe_refund_id = stripe_refund.id
    refund.pending_reason = stripe_refund.pending_reason[:100] if status in UNDER_WAY else ""
    refund.failure_reason = stripe_refund.failure_reason[:300]
    if refund.has_succeeded:
        refund.succeeded_at = refund.succeeded_at or now
    if not refund.is_live:
        refund.ended_at = refund.ended_at or now


def _record_made_at_stripe(stripe_refund: StripeRefund, order: Order, payment: Payment) -> Refund:
    """Record a refund made at Stripe. It is allocated to lines if only one way is possible, otherwise staff do that."""
    amount = stripe_refund.amount
    if amount.currency != payment.currency or not 0 < amount.minor <= payment.amount_minor:
        raise RefundDisagrees(
            f"{stripe_refund.id} is {amount.minor} {amount.currency} in minor units of {payment.amount}."
        )
    paid_the_order = payment.status == Payment.Status.SUCCEEDED
    refund = Refund(
        payment=payment,
        amount_minor=stripe_refund.amount.minor,
        currency=stripe_refund.amount.currency,
        reason=Refund.Reason.MADE_AT_STRIPE if paid_the_order else Refund.Reason.SECOND_PAYMENT,
        # There is nothing to send.
        state=Refund.State.DONE,
        finished_at=timezone.now(),
    )
    _copy_state(refund, stripe_refund, read_status(stripe_refund.status))
    if refund.is_live and payment.disputed_minor and payment.refundable < refund.amount:
        # Stripe made the refund before the dispute, and it was reported after it.
        claim_anew(payment, reserved=refund.amount_minor)
        payment.refresh_from_db(fields=["refunded_minor", "disputed_minor"])
    if refund.is_live and payment.refundable < refund.amount:
        raise NoRoomForRefund(f"{refund.amount} of {order.number}, but only {payment.refundable} is left")
    refund.save()
    _book(refund, booking_of_new(read_status(stripe_refund.status)))
    if refund.is_live and paid_the_order:
        _allocate_or_ask(refund, order)
    return refund


def _allocate_or_ask(refund: Refund, order: Order) -> None:
    lines = lines_in_lock_order(order)
    if allocate_if_clear(refund, lines):
        return
    proposal = propose_allocation(refund, lines)
    raise_alert(
        key=f"refund-to-allocate:{refund.pk}",
        title=f"Order {order.number}: a refund made at Stripe must be allocated to lines",
        detail={
            "order": order.number,
            "refund": refund.stripe_refund_id,
            "amount": str(refund.amount),
            "proposal": ", ".join(f"{part.amount} of {part.line.title}" for part in proposal),
            "page": reverse("admin:payments_refund_allocate", args=[refund.pk]),
        },
    )


def _alert_while_balance_is_low(refund: Refund) -> None:
    key = f"refund-waits-for-balance:{refund.pk}"
    if refund.pending_reason != _BALANCE_TOO_LOW:
        clear_alert(key=key)
        return
    raise_alert(
        key=key,
        title=f"A refund of {refund.amount} waits: the platform's {refund.currency} balance at Stripe is too low",
        detail={
            "order": refund.payment.order.number,
            "amount": str(refund.amount),
            "what to do": "Add funds to the balance in Stripe's Dashboard, or wait for sales. Stripe then sends it.",
        },
    )


def _alert_failed(refund: Refund, *, was_refunded_before: bool) -> None:
    failed = f"A refund of {refund.amount} failed: the student has not received the money"
    not_made = f"A refund of {refund.amount} was not made: all of the payment had been refunded at Stripe before"
    raise_alert(
        key=f"refund-failed:{refund.pk}",
        title=not_made if was_refunded_before else failed,
        detail={
            "order": refund.payment.order.number,
            "refund": refund.stripe_refund_id or "never made at Stripe",
            "status": refund.get_status_display(),
            "reason": refund.failure_reason,
            "page": refund.get_again_url(),
        },
    )
