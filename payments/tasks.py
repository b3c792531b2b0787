"""What beat asks payments to do from time to time."""

from datetime import timedelta

from celery import shared_task

from jobs import heartbeats
from payments import gateway, retention, sweeps

# Asked every hour, done once a day: a tick that is missed does not cost a day.
_DELETE_EVERY = timedelta(hours=23)


@shared_task(name="payments.take_in_missed_events", autoretry_for=(gateway.StripeUnreachable,), max_retries=3)
def take_in_missed_events() -> None:
    """Search Stripe's event list for what never arrived."""
    sweeps.take_in_missed_events()


@shared_task(name="payments.delete_old_events")
def delete_old_events() -> None:
    """Delete webhook events that are old enough, once a day."""
    if heartbeats.take_turn(name="payments.delete_old_events", every=_DELETE_EVERY):
        retention.delete_old_events()


@shared_task(name="payments.delete_old_guest_carts")
def delete_old_guest_carts() -> None:
    """Delete carts that guests left behind, once a day."""
    if heartbeats.take_turn(name="payments.delete_old_guest_carts", every=_DELETE_EVERY):
        retention.delete_old_guest_carts()
