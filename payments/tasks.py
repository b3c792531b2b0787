"""The tasks of payments: periodic ones, and those that pages request."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from jobs import heartbeats
from payments import outcomes, sweeps
from payments.disputes import reminding
from payments.documents import numbering
from payments.earnings import maturing
from payments.gifts import managing
from payments.models import ReconciliationRun
from payments.payouts import follow_up, schedules
from payments.reconciliation.runs import request_run
from payments.stripe_api import StripeUnreachable

# The books of the last minutes may still change while they are compared.
_NOT_COMPARED = timedelta(minutes=10)
_EVENTS_MAY_TAKE = timedelta(hours=1)


@shared_task(name="payments.take_in_missed_events", autoretry_for=(StripeUnreachable,), max_retries=3)
def take_in_missed_events() -> None:
    """Search Stripe's event list for events that no webhook delivered."""
    sweeps.take_in_missed_events()


@shared_task(name="payments.mature_earnings")
def mature_earnings() -> None:
    """Make the teachers' shares available whose time has come."""
    maturing.mature_earnings()


@shared_task(name="payments.mail_due_gifts")
def mail_due_gifts() -> None:
    """Mail the gifts whose day has come."""
    managing.mail_due_gifts()


@shared_task(name="payments.number_missing_documents")
def number_missing_documents() -> None:
    """Number the receipts and credit notes that no mail has numbered."""
    numbering.number_missing_documents()


@shared_task(name="payments.look_at_stripe")
def look_at_stripe(payment_id: str) -> None:
    """Get the outcome of a payment from Stripe, for a page that waits to show it."""
    outcomes.look_at_stripe(int(payment_id))


@shared_task(name="payments.reconcile")
def reconcile() -> None:
    """Compare everything with Stripe, and book what Stripe moved by itself: payouts to the bank, fees of the account."""
    if heartbeats.take_turn(name="payments.reconcile", every=timedelta(hours=20)):
        request_run(
            until=timezone.now() - _NOT_COMPARED,
            grace=_EVENTS_MAY_TAKE,
            repairs=ReconciliationRun.Repairs.ROUTINE,
        )


@shared_task(name="payments.request_scheduled_payouts")
def request_scheduled_payouts() -> None:
    """Request the payouts whose day has come, and alert staff to those that are late."""
    schedules.request_scheduled_payouts()
    schedules.alert_late_payouts()


@shared_task(name="payments.follow_up_accounts", autoretry_for=(StripeUnreachable,), max_retries=3)
def follow_up_accounts() -> None:
    """Ask Stripe about teachers' accounts, in case an event of theirs was missed."""
    follow_up.follow_up_accounts()


@shared_task(name="payments.remind_of_disputes")
def remind_of_disputes() -> None:
    """Alert staff to disputes that are due soon and not answered."""
    reminding.remind_of_disputes()
