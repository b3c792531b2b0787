"""What beat asks payments to do from time to time."""

from celery import shared_task

from payments import gateway, sweeps


@shared_task(name="payments.take_in_missed_events", autoretry_for=(gateway.StripeUnreachable,), max_retries=3)
def take_in_missed_events() -> None:
    """Search Stripe's event list for what never arrived."""
    sweeps.take_in_missed_events()
