"""What Celery runs for private lessons."""

from celery import shared_task

from bookings.requests import lapse_old_requests


@shared_task(name="bookings.lapse_old_requests")
def lapse_requests() -> None:
    """Tell students whose requests nobody answered."""
    lapse_old_requests()
