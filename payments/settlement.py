"""Settlement: the one way an order becomes paid and delivered, whoever noticed the payment.

Webhook, return page, the payment's follow-up and the event sweep all call `settle_payment` with what Stripe said.
"""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Self

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from money import Money
from notifications.outbox import mails_gathered
from payments.cart import empty_of
from payments.charges import have_charge_looked_up
from payments.contracts import CannotDeliver, SoldOut
from payments.gateway import CheckoutSession
from payments.mails import queue_cannot_deliver_mails, queue_payment_confirmed
from payments.models import Order, OrderLine, Payment
from payments.models.order import lines_in_lock_order
from payments.refunds import request_refund_of_undeliverable
from payments.registry import handler_for

log = structlog.get_logger()

# Bank debits answer within this time as a rule; the places stay held for as long.
_PENDING_HOLD = timedelta(days=14)


class PaymentDisagrees(Exception):
    """What Stripe says does not fit the order it points to: never delivered, a person must look."""


class PaymentUnknown(Exception):
    """No payment of ours belongs to this payment."""


class SessionNotStoredYet(Exception):
    """The payment is ours, but the process that opened its session has not stored the session's id yet."""


class Settlement(Enum):
    """What settling did."""

    SETTLED = "settled"
    ALREADY_SETTLED = "already processed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentEvidence:
    """What Stripe says about a payment. Empty strings where it does not say.

    `payment_reference` came with Stripe's metadata and is a route only: the ids stored with the payment decide.
    """

    session_id: str
    payment_intent_id: str
    payment_reference: str
    total: Money
    livemode: bool

    @classmethod
    def from_session(cls, session: CheckoutSession) -> Self:
        return cls(
            session_id=session.id,
            payment_intent_id=session.payment_intent_id,
            payment_reference=session.reference,
            total=session.total,
            livemode=session.livemode,
        )


def settle_payment(evidence: PaymentEvidence) -> tuple[Order, Settlement]:
    """Mark the order paid and deliver its lines, once. Everything happens in one transaction, or nothing.

    Raises PaymentUnknown, SessionNotStoredYet, PaymentDisagrees, or registry.UnknownDomain.
    """
    with transaction.atomic(), mails_gathered():
        order, payment = _lock_order_of(evidence)
        _refuse_disagreement(evidence, order, payment)
        if order.state == Order.State.COMPLETED:
            return order, Settlement.ALREADY_SETTLED
        _mark_paid(order, payment, evidence)
        lines = lines_in_lock_order(order)
        undeliverable = [line for line in lines if not _deliver(line)]
        request_refund_of_undeliverable(order, undeliverable)
        _mark_fulfilled([line for line in lines if line not in undeliverable])
        empty_of([line.cart_line_id for line in lines if line.cart_line_id])
        queue_payment_confirmed(order, lines)
        queue_cannot_deliver_mails(order, undeliverable)
    log.info("order_settled", order=order.number, undeliverable=len(undeliverable))
    return order, Settlement.SETTLED


def record_processing(evidence: PaymentEvidence) -> tuple[Order, Settlement]:
    """The student did their part but the money is still on its way: keep the places, deliver nothing.

    Raises as settle_payment does.
    """
    with transaction.atomic():
        order, payment = _lock_order_of(evidence)
        _refuse_disagreement(evidence, order, payment)
        if order.state != Order.State.AWAITING_PAYMENT:
            return order, Settlement.ALREADY_SETTLED
        order.state = Order.State.PAYMENT_PENDING
        order.save(update_fields=["state"])
        payment.status = Payment.Status.PROCESSING
        payment.ended_at = timezone.now()
        payment.failure_message = ""
        payment.stripe_payment_intent_id = evidence.payment_intent_id or payment.stripe_payment_intent_id
        payment.save(update_fields=["status", "ended_at", "failure_message", "stripe_payment_intent_id"])
        lines = lines_in_lock_order(order)
        for line in lines:
            _keep_place(line)
        empty_of([line.cart_line_id for line in lines if line.cart_line_id])
    return order, Settlement.SETTLED


def find_payment(*, session_id: str, payment_intent_id: str, payment_reference: str) -> Payment:
    """The payment a payment belongs to, by the ids we stored; by its reference only while none is stored.

    Raises PaymentUnknown, SessionNotStoredYet, or PaymentDisagrees if ids and reference name different payments.
    """
    reference = _uuid_or_none(payment_reference)
    candidates = list(
        _candidates(session_id=session_id, payment_intent_id=payment_intent_id, payment_reference=payment_reference)
    )
    by_session = next((a for a in candidates if session_id and a.stripe_session_id == session_id), None)
    by_intent = next(
        (a for a in candidates if payment_intent_id and a.stripe_payment_intent_id == payment_intent_id), None
    )
    by_reference = next((a for a in candidates if reference and a.reference == reference), None)
    known = by_session or by_intent
    if known and by_reference and known.pk != by_reference.pk:
        raise PaymentDisagrees("The ids belong to one payment, the metadata to another.")
    if known:
        return known
    if by_reference is None:
        raise PaymentUnknown(session_id or payment_intent_id)
    if by_reference.stripe_session_id is None:
        raise SessionNotStoredYet(str(by_reference))
    if session_id:
        raise PaymentDisagrees("The metadata names a payment that was paid through another session.")
    return by_reference


def _candidates(*, session_id: str, payment_intent_id: str, payment_reference: str) -> QuerySet[Payment]:
    """The payments named by any of what Stripe said."""
    reference = _uuid_or_none(payment_reference)
    is_named = Q(reference=reference) if reference else Q(pk=None)
    if session_id:
        is_named |= Q(stripe_session_id=session_id)
    if payment_intent_id:
        is_named |= Q(stripe_payment_intent_id=payment_intent_id)
    return Payment.objects.filter(is_named)


def _uuid_or_none(text: str) -> uuid.UUID | None:
    """The reference in metadata, which anybody with access to Stripe's Dashboard can edit: it may be anything."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _lock_order_of(evidence: PaymentEvidence) -> tuple[Order, Payment]:
    """The order, locked, and its payment as it is under that lock. Raises as find_payment does."""
    said = {
        "session_id": evidence.session_id,
        "payment_intent_id": evidence.payment_intent_id,
        "payment_reference": evidence.payment_reference,
    }
    # More than one only where ids and metadata disagree, which is found out under the lock as well.
    orders = (
        Order.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(pk__in=_candidates(**said).values("order_id"))
        .order_by("pk")
        .in_bulk()
    )
    payment = find_payment(**said)
    if payment.order_id not in orders:
        raise SessionNotStoredYet(f"{payment}, stored between two of our own statements")
    return orders[payment.order_id], payment


def _refuse_disagreement(evidence: PaymentEvidence, order: Order, payment: Payment) -> None:
    if evidence.total.currency != order.currency or evidence.total.minor != order.total_minor:
        # In plain numbers: what was paid may be anything, also more than can be written as money.
        raise PaymentDisagrees(
            f"Paid {evidence.total.minor} {evidence.total.currency} in minor units,"
            f" but the order is over {order.total_minor} {order.currency}."
        )
    if evidence.livemode != payment.livemode:
        raise PaymentDisagrees("Live and test mode are mixed.")
    stored_intent = payment.stripe_payment_intent_id
    if stored_intent and evidence.payment_intent_id and evidence.payment_intent_id != stored_intent:
        raise PaymentDisagrees("Another payment intent paid this payment before.")
    if order.state == Order.State.COMPLETED and payment.status != Payment.Status.SUCCEEDED:
        raise PaymentDisagrees("The order was paid through another payment; this one must be refunded.")


def _mark_paid(order: Order, payment: Payment, evidence: PaymentEvidence) -> None:
    order.state = Order.State.COMPLETED
    order.paid_at = timezone.now()
    order.cancelled_at = None
    order.cancel_reason = ""
    order.save(update_fields=["state", "paid_at", "cancelled_at", "cancel_reason"])
    payment.status = Payment.Status.SUCCEEDED
    payment.succeeded_at = order.paid_at
    payment.ended_at = payment.ended_at or order.paid_at
    payment.failure_message = ""
    payment.stripe_payment_intent_id = evidence.payment_intent_id or payment.stripe_payment_intent_id
    payment.save(update_fields=["status", "succeeded_at", "ended_at", "failure_message", "stripe_payment_intent_id"])
    have_charge_looked_up(payment)


def _keep_place(line: OrderLine) -> None:
    """Hold on to a place until the bank has answered. If it is gone already, settlement delivers or refunds later."""
    with contextlib.suppress(SoldOut), transaction.atomic():
        handler_for(line.domain).reserve(line.as_sold(), timezone.now() + _PENDING_HOLD)


def _deliver(line: OrderLine) -> bool:
    """Deliver one line; False if that is impossible: it alone is refunded, the others are delivered."""
    try:
        with transaction.atomic(), mails_gathered():
            handler_for(line.domain).fulfil(line.as_sold())
    except CannotDeliver as reason:
        line.state = OrderLine.State.UNDELIVERABLE
        line.state_reason = str(reason)[:300]
        line.save(update_fields=["state", "state_reason"])
        return False
    return True


def _mark_fulfilled(lines: list[OrderLine]) -> None:
    now = timezone.now()
    for line in lines:
        line.state, line.fulfilled_at = OrderLine.State.FULFILLED, now
    OrderLine.objects.filter(pk__in=[line.pk for line in lines]).update(
        state=OrderLine.State.FULFILLED, fulfilled_at=now
    )
