"""The tasks of payments: periodic ones, and those that pages request."""

from celery import shared_task

from payments import gateway, outcomes, sweeps
from payments.earnings import maturing


@shared_task(name="payments.take_in_missed_events", autoretry_for=(gateway.StripeUnreachable,), max_retries=3)
def take_in_missed_events() -> None:
    """Search Stripe's event list for events that no webhook delivered."""
    sweeps.take_in_missed_events()


@shared_task(name="payments.mature_earnings")
def mature_earnings() -> None:
    """Make the teachers' shares available whose time has come."""
    maturing.mature_earnings()


@shared_task(name="payments.look_at_stripe")
def look_at_stripe(payment_id: str) -> None:
    """Get the outcome of a payment from Stripe, for a page that waits to show it."""
    outcomes.look_at_stripe(int(payment_id))
