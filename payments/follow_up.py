"""The follow-up of payments as durable work: open interrupted pages, and ask Stripe what no webhook has reported."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.utils import timezone

from jobs.models import WorkParked, WorkPostponed
from notifications.alerts import raise_alert
from payments.evidence import PaymentDisagrees
from payments.models import Payment
from payments.orders import cancel_order
from payments.outcomes import record_expiry, sync_with_stripe
from payments.own_account import is_key_known_as_ours
from payments.registry import UnknownDomain
from payments.sessions import (
    STRIPE_IS_LATE,
    AlreadyPaid,
    CardDeclined,
    NeverOpened,
    PaymentOver,
    close_session,
    open_session,
)
from payments.stripe_api import NoSuchObject, StripeMisconfigured, StripeRefused

log = structlog.get_logger()

_BANK_DEBIT_CHECKED_EVERY = timedelta(hours=6)
_CHECK_AGAIN_AFTER = timedelta(minutes=1)


def follow_up_payment(payment: Payment) -> None:
    """Do what a payment needs next. Returns once it has ended; raises WorkPostponed before."""
    if payment.charges_card:
        _follow_up_card(payment)
        return
    if payment.close_requested_at and payment.ended_at is None:
        _close(payment)
    elif payment.status == Payment.Status.CREATED:
        _open(payment)
    _reload(payment)
    if payment.ended_at is None:
        left = payment.expires_at + STRIPE_IS_LATE - timezone.now()
        if left > timedelta(0):
            raise WorkPostponed("the page is open", delay=left)
    elif payment.status != Payment.Status.PROCESSING:
        return
    _sync(payment)
    _reload(payment)
    if payment.status == Payment.Status.PROCESSING:
        raise WorkPostponed("the bank has not answered yet", delay=_BANK_DEBIT_CHECKED_EVERY)
    if payment.ended_at is None:
        raise WorkPostponed("Stripe has not expired the session yet", delay=_CHECK_AGAIN_AFTER)


def _follow_up_card(payment: Payment) -> None:
    """The same for a saved card, which has no page that expires by itself at Stripe."""
    left = payment.expires_at - timezone.now()
    if payment.ended_at is None and (payment.close_requested_at or left <= timedelta(0)):
        _close(payment)
    elif payment.status == Payment.Status.CREATED:
        _open(payment)
    elif payment.ended_at is None or payment.status == Payment.Status.PROCESSING:
        _sync(payment)
    _reload(payment)
    if payment.ended_at is None:
        raise WorkPostponed("the bank asks the student", delay=max(left, _CHECK_AGAIN_AFTER))
    if payment.status == Payment.Status.PROCESSING:
        raise WorkPostponed("the bank has not answered yet", delay=_BANK_DEBIT_CHECKED_EVERY)


def _open(payment: Payment) -> None:
    """Open the page now. If it is too late for that, the order is kept until it expires: a new click may replace it."""
    try:
        open_session(payment.pk, is_student_here=False)
    except NeverOpened:
        left = payment.expires_at - timezone.now()
        if left > timedelta(0):
            raise WorkPostponed("too late to open the page; the order has not expired yet", delay=left) from None
        cancel_order(
            order_id=payment.order_id,
            reason="The payment page was never opened.",
            payment_status=Payment.Status.EXPIRED,
        )
    except StripeMisconfigured:
        raise
    except (PaymentOver, AlreadyPaid, CardDeclined, StripeRefused):
        # Handled where it was raised.
        return


def _close(payment: Payment) -> None:
    reason = "The cart was changed." if payment.close_requested_at else "The bank’s question was not answered in time."
    try:
        close_session(payment.pk, reason=reason)
    except AlreadyPaid:
        log.info("paid_before_closed", order=payment.order.number)


def _reload(payment: Payment) -> None:
    # Not the whole row: `run_after` proves that this worker's claim is the latest one.
    payment.refresh_from_db(fields=["status", "ended_at", "expires_at", "stripe_session_id"])


def _sync(payment: Payment) -> None:
    try:
        sync_with_stripe(payment)
    except NoSuchObject as problem:
        _give_up_unknown_session(payment, problem)
    except (PaymentDisagrees, UnknownDomain) as problem:
        raise WorkParked(f"{type(problem).__name__}: {problem}") from problem


def _give_up_unknown_session(payment: Payment, problem: NoSuchObject) -> None:
    """End a payment whose session Stripe does not know: it cannot be paid. Staff look for money already on its way."""
    # To a key of another account every session is unknown, and can be paid all the same.
    is_key_known_as_ours()
    if payment.status == Payment.Status.PROCESSING:
        raise WorkParked(f"Stripe no longer knows the session: {problem}") from problem
    log.error("session_unknown", order=payment.order.number, session=payment.stripe_session_id)
    raise_alert(
        key="sessions-unknown",
        title="Stripe does not know a payment page we opened: were the keys of another account set?",
        detail={"order": payment.order.number, "session": payment.stripe_session_id},
    )
    record_expiry(payment)
