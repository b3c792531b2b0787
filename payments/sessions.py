"""The life of one payment at Stripe: open its session, close it, learn how it ended."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import assert_never

import structlog
from django.conf import settings
from django.db.models import Case, Q, URLField, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from jobs.models import WorkPostponed
from payments import gateway
from payments.models import Order, Payment
from payments.models.order import lines_in_lock_order
from payments.orders import cancel_order
from payments.settlement import PaymentEvidence, record_processing, settle_payment

log = structlog.get_logger()

# The request that wrote the payment gets this long to open its session before a worker does it instead.
TIME_FOR_THE_REQUEST = timedelta(seconds=20)
# Stripe forgets idempotency keys after 24 hours; from well before that we look before we create.
_KEY_IS_REMEMBERED = timedelta(hours=23)
# Stripe writes down its own time: were its clock behind ours, the session would look older than the payment.
_CLOCKS_MAY_DIFFER = timedelta(hours=1)
_WAIT_FOR_TWIN_SECONDS = 6.0
# Stripe expires a session a little after its time; asked before, it would say that the session is open.
_STRIPE_IS_LATE = timedelta(seconds=30)


class AlreadyPaid(Exception):
    """The order was paid in the meantime."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.number)
        self.order = order


class PaymentOver(Exception):
    """The payment can no longer be paid: its session expired or was refused in the meantime."""


def open_session(payment_id: int) -> Payment:
    """The payment with its session open at Stripe, created now unless it was before. Call outside transactions.

    Raises StripeUnreachable if Stripe's answer did not arrive: the same call is repeated with the same key by a worker
    or by the next click. Raises StripeRefused after letting go of the order, AlreadyPaid, or PaymentOver.
    """
    payment = _wait_for_twin(payment_id)
    match Payment.Status(payment.status):
        case Payment.Status.OPEN:
            return payment
        case Payment.Status.CREATED:
            return _create(payment)
        case Payment.Status.SUCCEEDED | Payment.Status.PROCESSING:
            raise AlreadyPaid(payment.order)
        case Payment.Status.FAILED | Payment.Status.EXPIRED:
            raise PaymentOver
        case never:
            assert_never(never)


def _wait_for_twin(payment_id: int) -> Payment:
    """A double click meets the payment while the first click is still asking Stripe: wait for its answer, then go on."""
    ends_at = time.monotonic() + _WAIT_FOR_TWIN_SECONDS
    while True:
        payment = Payment.objects.select_related("order__user").get(pk=payment_id)
        is_first = Payment.objects.filter(pk=payment_id, asked_at=None).update(asked_at=timezone.now()) == 1
        if is_first or payment.status != Payment.Status.CREATED or time.monotonic() > ends_at:
            return payment
        time.sleep(0.1)


def _create(payment: Payment) -> Payment:
    order = payment.order
    if timezone.now() - payment.created_at > _KEY_IS_REMEMBERED:
        session = gateway.find_session(
            reference=str(payment.reference), created_from=payment.created_at - _CLOCKS_MAY_DIFFER
        )
        if session is None:
            # Nothing was ever created, and the hold is long gone: the student starts again.
            cancel_order(order_id=order.pk, reason="Never opened at Stripe.", payment_status=Payment.Status.EXPIRED)
            raise PaymentOver
    else:
        try:
            session = _ask_for_session(payment)
        except gateway.StripeRefused as refusal:
            log.error("session_refused", order=order.number, code=refusal.code, problem=str(refusal))  # noqa: TRY400
            cancel_order(
                order_id=order.pk,
                reason=f"Stripe refused: {refusal}"[:200],
                payment_status=Payment.Status.FAILED,
            )
            raise
        except gateway.StripeUnreachable:
            # The next click need not wait for an answer that is not coming.
            Payment.objects.filter(pk=payment.pk).update(asked_at=None)
            raise
    return _note_session(payment, session)


def _ask_for_session(payment: Payment) -> gateway.CheckoutSession:
    order = payment.order
    lines = lines_in_lock_order(order)
    return gateway.create_session(
        lines=[line.as_session_line() for line in lines],
        reference=str(payment.reference),
        order_number=order.number,
        domains=[line.domain for line in lines],
        email=order.user.email,
        # Stripe puts the session's id in place of the braces.
        success_url=f"{settings.BASE_URL}{reverse('payments:return')}?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{settings.BASE_URL}{reverse('payments:cart')}?from=payment",
        expires_at=payment.expires_at,
        idempotency_key=payment.idempotency_key,
    )


def _note_session(payment: Payment, session: gateway.CheckoutSession) -> Payment:
    """Store what Stripe answered, unless a webhook was quicker and the payment has moved on."""
    # Nothing is left to follow up until the session ends. A worker that is at it now moves its row itself.
    next_look = payment.expires_at + _STRIPE_IS_LATE
    is_unknown, is_new = Q(stripe_session_id=None), Q(status=Payment.Status.CREATED)
    Payment.objects.filter(pk=payment.pk).update(
        stripe_session_id=Coalesce("stripe_session_id", Value(session.id)),
        session_url=Case(When(is_unknown, then=Value(session.url, URLField())), default="session_url"),
        status=Case(When(is_new, then=Value(Payment.Status.OPEN)), default="status"),
        run_after=Case(When(state=Payment.State.WAITING, then=Value(next_look)), default="run_after"),
    )
    payment.refresh_from_db()
    return payment


def close_session(payment_id: int, *, reason: str) -> None:
    """Make sure that this payment can no longer be paid, then let go of its order. Call outside transactions.

    Raises AlreadyPaid if the student was quicker, or StripeUnreachable.
    """
    try:
        payment = open_session(payment_id)  # one that was cut off may exist at Stripe: learn its id first
    except (PaymentOver, gateway.StripeRefused):
        return
    try:
        gateway.expire_session(payment.stripe_session_id or "")
    except gateway.StripeRefused:
        # Not open any more: paid or expired a moment ago. Stripe's own word decides.
        sync_with_stripe(payment)
        payment.order.refresh_from_db()
        if payment.order.state in (Order.State.COMPLETED, Order.State.PAYMENT_PENDING):
            raise AlreadyPaid(payment.order) from None
        return
    cancel_order(order_id=payment.order_id, reason=reason, payment_status=Payment.Status.EXPIRED)


def sync_with_stripe(payment: Payment) -> gateway.CheckoutSession:
    """Ask Stripe how the session stands and bring the order to the same state. Call outside transactions.

    Used by the return page and by the payment's own follow-up: both settle through the one settlement function.
    """
    session = gateway.retrieve_session(payment.stripe_session_id or "")
    if session.is_paid:
        settle_payment(PaymentEvidence.from_session(session))
    elif session.is_processing:
        record_processing(PaymentEvidence.from_session(session))
    elif session.status == "expired":
        cancel_order(
            order_id=payment.order_id, reason="The payment page expired.", payment_status=Payment.Status.EXPIRED
        )
    return session


def follow_up_payment(payment: Payment) -> None:
    """The payment's follow-up as durable work: open what was cut off, learn the outcome that no webhook told."""
    if payment.status == Payment.Status.CREATED:
        try:
            payment = open_session(payment.pk)
        except (PaymentOver, AlreadyPaid, gateway.StripeRefused):
            return
    if payment.status == Payment.Status.OPEN:
        wait = payment.expires_at + _STRIPE_IS_LATE - timezone.now()
        if wait > timedelta(0):
            raise WorkPostponed("the session is open", delay=wait)
        session = sync_with_stripe(payment)
        if session.is_open:
            raise WorkPostponed("Stripe has not expired the session yet", delay=timedelta(minutes=1))
    if payment.status == Payment.Status.PROCESSING:
        session = sync_with_stripe(payment)
        if session.is_processing:
            raise WorkPostponed("the bank has not answered yet", delay=timedelta(hours=6))
