"""Celery tasks of private lessons."""

from celery import shared_task

from bookings.requests import lapse_old_requests


@shared_task(name="bookings.lapse_old_requests")
def lapse_requests() -> None:
    lapse_old_requests()
