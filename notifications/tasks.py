"""The periodic tasks of notifications."""

from datetime import timedelta

from celery import shared_task

from jobs import heartbeats
from notifications.invariant_alerts import alert_broken_invariants

_A_LITTLE_LESS_THAN_AN_HOUR = timedelta(minutes=55)


@shared_task(name="notifications.check_invariants")
def check_invariants() -> None:
    """Check the invariants of all apps, and alert staff to those that are broken."""
    if heartbeats.take_turn(name="notifications.check_invariants", every=_A_LITTLE_LESS_THAN_AN_HOUR):
        alert_broken_invariants()
