"""The performers of the durable work of payments, and the alerts for staff when that work is parked."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from jobs.models import WorkPostponed
from jobs.registry import performs
from notifications.alerts import clear_alert, raise_alert
from payments.cancellations.sales import cancel_sold_line, give_up_line
from payments.charges import look_up_charge
from payments.customers import sync_customer
from payments.disputes.sending import send_answer
from payments.follow_up import follow_up_payment
from payments.models import (
    ChargeLookup,
    Customer,
    DisputeAnswer,
    FetchedEvent,
    LineCancellation,
    MirrorSync,
    Payment,
    ReconciliationRun,
    Refund,
    WebhookEvent,
)
from payments.payouts import performers as payout_performers
from payments.reconciliation.runs import advance_run
from payments.refunds.sending import send_refund
from payments.saved_cards.refreshing import refresh_if_requested
from payments.webhook.mirror import read_into_mirror
from payments.webhook.processing import handle_event

_SECONDS_OF_RECONCILIATION: Final = 45.0


def alert_parked_event(event: WebhookEvent) -> None:
    """Raise one alert for all events of a type: what parks one of them often parks the next thousand."""
    raise_alert(
        key=f"webhook-event-parked:{event.type}",
        title=f"Webhook events {event.type} need attention",
        detail={"event": event.stripe_id, "type": event.type, "error": event.end_of_error},
    )


def alert_parked_refund(refund: Refund) -> None:
    raise_alert(
        key=f"refund-parked:{refund.pk}",
        title=f"A refund of {refund.amount} could not be sent to Stripe",
        detail={"order": refund.payment.order.number, "error": refund.end_of_error},
    )


def alert_parked_answer(answer: DisputeAnswer) -> None:
    raise_alert(
        key=f"dispute-answer-parked:{answer.pk}",
        title=f"The answer to the dispute of {answer.dispute.amount} could not be sent to Stripe",
        detail={"page": answer.dispute.get_admin_url(), "error": answer.end_of_error},
    )


def alert_parked_payment(payment: Payment) -> None:
    raise_alert(
        key=f"payment-parked:{payment.pk}",
        title=f"The outcome of the payment of order {payment.order.number} is not known",
        detail={"order": payment.order.number, "status": payment.status, "error": payment.end_of_error},
    )


def alert_parked_charge_lookup(lookup: ChargeLookup) -> None:
    order = lookup.payment.order
    raise_alert(
        key=f"charge-lookup-parked:{lookup.pk}",
        title=f"Stripe's fee for order {order.number} is not known",
        detail={"order": order.number, "error": lookup.end_of_error},
    )


def alert_parked_customer(customer: Customer) -> None:
    raise_alert(
        key=f"customer-parked:{customer.pk}",
        title="Stripe could not be told about a student's name, address or erasure",
        detail={"customer": str(customer), "error": customer.end_of_error},
    )


def alert_parked_mirror_sync(sync: MirrorSync) -> None:
    """Raise one alert for all: a stale mirror stops no payment, and many are parked at once when Stripe is down."""
    raise_alert(
        key="mirror-sync-parked",
        title="Stripe's records could not be copied",
        detail={"object": str(sync), "error": sync.end_of_error},
    )


def alert_parked_reconciliation(run: ReconciliationRun) -> None:
    raise_alert(
        key="reconciliation-parked",
        title="The books could not be compared with Stripe",
        detail={"run": run.pk, "step": run.get_step_display(), "error": run.end_of_error},
    )


assert payout_performers  # noqa: S101  # importing it registers those of payouts
performs(WebhookEvent, when_parked=alert_parked_event)(handle_event)
performs(FetchedEvent, when_parked=alert_parked_event)(handle_event)
performs(Refund, when_parked=alert_parked_refund)(send_refund)
performs(DisputeAnswer, when_parked=alert_parked_answer)(send_answer)
performs(Payment, when_parked=alert_parked_payment)(follow_up_payment)
performs(ChargeLookup, when_parked=alert_parked_charge_lookup)(look_up_charge)
performs(LineCancellation, when_parked=give_up_line)(cancel_sold_line)


@performs(Customer, when_parked=alert_parked_customer)
def perform_customer(customer: Customer) -> None:
    """Bring Stripe up to date about the person, and the copy here about their cards."""
    sync_customer(customer)
    refresh_if_requested(customer)


@performs(MirrorSync, when_parked=alert_parked_mirror_sync)
def perform_mirror_sync(sync: MirrorSync) -> None:
    """Copy the object into dj-stripe's tables."""
    read_into_mirror(object_type=sync.object_type, object_id=sync.object_id)


@performs(ReconciliationRun, when_parked=alert_parked_reconciliation)
def perform_reconciliation(run: ReconciliationRun) -> None:
    """Continue the run for a while; other work of the queue gets its turn in between."""
    if not advance_run(run, seconds=_SECONDS_OF_RECONCILIATION):
        raise WorkPostponed("continues", delay=timedelta(0))
    clear_alert(key="reconciliation-parked")
