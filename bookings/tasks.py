"""Celery tasks of private lessons."""

from celery import shared_task

from bookings.credits import earn_credits_of_lessons
from bookings.reassignment import assign_waiting, pass_on_unanswered, reassign_abandoned


@shared_task(name="bookings.lapse_old_requests")
def lapse_requests() -> None:
    """Pass on requests that were not answered; the name is that of the schedule of earlier versions."""
    pass_on_unanswered()


@shared_task(name="bookings.find_teachers")
def find_teachers() -> None:
    """Find teachers for requests that have none, or whose teacher is gone."""
    reassign_abandoned()
    assign_waiting()


@shared_task(name="bookings.earn_credits")
def earn_credits() -> None:
    """Let teachers earn the lesson credits of lessons that took place."""
    earn_credits_of_lessons()
