"""Send deliveries again, because their owner or staff want it. The receiver knows them by their `webhook-id`."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now

from jobs.wakeups import wake_after_commit
from webhooks.endpoints import lock_endpoint, resume
from webhooks.models import Delivery

_DONE_FOR_NOW = (Delivery.State.DONE, Delivery.State.PARKED)


class ReplayRefused(Exception):
    """Nothing can be sent again now. The message is for the owner."""


@transaction.atomic
def replay_delivery(delivery: Delivery) -> None:
    """Send one again, whether it had arrived, was given up or waits. Raises ReplayRefused."""
    endpoint = lock_endpoint(delivery.endpoint_id)
    if not endpoint.is_enabled:
        raise ReplayRefused("Switch the endpoint on first.")
    resume(endpoint)
    if not delivery.retry_now():
        raise ReplayRefused("This message is being sent right now.")


@transaction.atomic
def replay_since(*, endpoint_id: int, since: datetime, only_failed: bool) -> int:
    """Send everything since a moment again, or only what was given up; returns how many. Raises ReplayRefused."""
    endpoint = lock_endpoint(endpoint_id)
    if not endpoint.is_enabled:
        raise ReplayRefused("Switch the endpoint on first.")
    states = [Delivery.State.PARKED] if only_failed else _DONE_FOR_NOW
    replayed = Delivery.objects.filter(endpoint=endpoint, state__in=states, created_at__gte=since).update(
        state=Delivery.State.WAITING, attempts=0, postponements=0, run_after=Now(), finished_at=None
    )
    resume(endpoint)
    wake_after_commit(Delivery)
    return replayed
