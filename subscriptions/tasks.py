"""Celery tasks of subscriptions."""

from celery import shared_task

from subscriptions.closing import end_what_is_over


@shared_task(name="subscriptions.end_what_is_over")
def end_periods() -> None:
    """Share access that is over among teachers, and let unused credits lapse."""
    end_what_is_over()
