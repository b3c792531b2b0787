"""Early fraud warnings: staff are alerted, and can refund the payment before it becomes a dispute with its fee."""

from __future__ import annotations

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from notifications.alerts import clear_alert, raise_alert
from payments.disputes.recording import DisputeDisagrees
from payments.disputes.stripe_objects import StripeFraudWarning
from payments.finding import find_payment, lock_order_of
from payments.models import FraudWarning, Refund
from payments.refunds.plan import RefundRefused, WholeOrder
from payments.refunds.requests import request_refund


class NotThePaymentOfTheOrder(RefundRefused):
    """The bank warns of a second payment of an order, which is refunded by itself."""


class WarningDecided(RefundRefused):
    """The warning no longer needs a decision. The message says why."""


def record_fraud_warning(fresh: StripeFraudWarning) -> FraudWarning | None:
    """Record the state of an early fraud warning; None if its payment is not ours. A repeat changes nothing.

    A warning that Stripe called settled stays so: an earlier state that is recorded late does not reopen it. Raises
    DisputeDisagrees or PaymentNotSettledYet.
    """
    payment = find_payment(
        payment_intent_id=fresh.payment_intent_id,
        charge_id=fresh.charge_id,
        payment_reference=fresh.payment_reference,
    )
    if payment is None:
        return None
    with transaction.atomic():
        lock_order_of(payment)
        warning, is_new = FraudWarning.objects.select_related("refund").get_or_create(
            stripe_warning_id=fresh.id,
            defaults={
                "payment": payment,
                "fraud_type": fresh.fraud_type[:50],
                "is_actionable": fresh.is_actionable,
                "warned_at": fresh.warned_at,
            },
        )
        if warning.payment_id != payment.pk:
            raise DisputeDisagrees(f"{fresh.id} was a warning about another payment before.")
        warning.payment = payment
        if warning.is_actionable and not fresh.is_actionable:
            warning.is_actionable, warning.updated_at = False, timezone.now()
            warning.save(update_fields=["is_actionable", "updated_at"])
        _alert_to_decide(warning, is_new=is_new)
    return warning


def refund_because_of_warning(warning: FraudWarning, *, requested_by_id: int) -> Refund:
    """Refund all that is left of the payment, once: another click, or one of another member of staff, is refused.

    After a refund that failed, it is another. Raises RefundRefused.
    """
    with transaction.atomic():
        lock_order_of(warning.payment)
        warning.refresh_from_db(fields=["refund", "is_actionable"])
        if not warning.payment.has_succeeded:
            # Its refund is one of a second payment; an order's refund would take the money of the one that counts.
            raise NotThePaymentOfTheOrder("This payment did not pay the order. Refund it again from its own refund.")
        if not warning.needs_decision:
            raise WarningDecided(_why_decided(warning))
        failed = f":after:{warning.refund_id}" if warning.refund and not warning.refund.is_live else ""
        refund = request_refund(
            order_id=warning.payment.order_id,
            wanted=WholeOrder(),
            reason=Refund.Reason.FRAUD_WARNING,
            request_key=f"fraud-warning:{warning.stripe_warning_id}{failed}",
            note=f"Early fraud warning {warning.stripe_warning_id}: {warning.fraud_type}",
            requested_by_id=requested_by_id,
        )
        warning.refund, warning.updated_at = refund, timezone.now()
        warning.save(update_fields=["refund", "updated_at"])
        clear_alert(key=_alert_key(warning))
    return refund


def _why_decided(warning: FraudWarning) -> str:
    if warning.refund is not None and warning.refund.is_live:
        return f"This warning was dealt with already: {warning.refund.amount} is refunded because of it."
    if warning.payment.disputed_minor:
        return "The cardholder disputes this payment by now. A refund no longer prevents that: answer the dispute."
    if not warning.payment.refundable.minor:
        return "Nothing of this payment is left to refund."
    return (
        "Stripe has closed this warning: the payment was refunded or disputed there. Look at it in Stripe's Dashboard."
    )


def _alert_to_decide(warning: FraudWarning, *, is_new: bool) -> None:
    if not warning.needs_decision:
        clear_alert(key=_alert_key(warning))
    elif is_new:
        raise_alert(
            key=_alert_key(warning),
            title=f"The bank warns of fraud: order {warning.payment.order.number}, {warning.payment.amount}",
            detail={
                "order": warning.payment.order.number,
                "warning": warning.stripe_warning_id,
                "what to do": "Refund it now, before it becomes a dispute with its fee, unless you know the student.",
                "page": reverse("admin:payments_fraudwarning_change", args=[warning.pk]),
            },
        )


def _alert_key(warning: FraudWarning) -> str:
    return f"fraud-warning:{warning.stripe_warning_id}"
