"""How an endpoint does: pauses while it fails, and the end of that."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from webhooks import mails
from webhooks.endpoints import lock_endpoint
from webhooks.models import Endpoint

# A single failure may concern one message; several in a row concern the server.
_PAUSES_FROM = 3
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
DISABLED_AFTER = timedelta(days=5)


def record_success(endpoint: Endpoint) -> None:
    """Forget earlier failures. Writes nothing for an endpoint without any."""
    if endpoint.failing_since is not None:
        Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=None, failures_in_a_row=0, paused_until=None)


@transaction.atomic
def record_failure(endpoint_id: int, *, asked_to_wait: timedelta | None) -> None:
    """Count a failure: pause an endpoint that keeps failing or asks for it, and disable one that failed for days."""
    endpoint = lock_endpoint(endpoint_id)
    now = timezone.now()
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failures_in_a_row += 1
    pause = max(_pause_after(endpoint.failures_in_a_row), asked_to_wait or timedelta(0))
    if pause:
        endpoint.paused_until = max(endpoint.paused_until or now, now + pause)
    endpoint.save(update_fields=["failing_since", "failures_in_a_row", "paused_until"])
    if endpoint.failing_since < now - DISABLED_AFTER:
        _disable(endpoint, f"Every message failed for {DISABLED_AFTER.days} days.")


@transaction.atomic
def record_gone(endpoint_id: int) -> None:
    """Disable an endpoint whose server says that it is gone for good."""
    _disable(lock_endpoint(endpoint_id), "The server answered 410 Gone.")


def pause_left(endpoint: Endpoint, now: datetime) -> timedelta:
    """How long nothing may be sent; with jitter, so that what waits does not come all at once. Zero if it may."""
    if endpoint.paused_until is None or endpoint.paused_until <= now:
        return timedelta(0)
    return endpoint.paused_until - now + timedelta(seconds=random.uniform(0, 10))  # noqa: S311  # not a secret


def _pause_after(failures: int) -> timedelta:
    if failures < _PAUSES_FROM:
        return timedelta(0)
    doublings: int = min(failures - _PAUSES_FROM, 10)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def _disable(endpoint: Endpoint, reason: str) -> None:
    if not endpoint.is_enabled:
        return
    endpoint.is_enabled, endpoint.disabled_because = False, reason
    endpoint.save(update_fields=["is_enabled", "disabled_because"])
    mails.queue_endpoint_disabled(endpoint)
