"""Find what no webhook told: events of Stripe's list that never arrived."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from jobs import heartbeats
from jobs.wakeups import wake_after_commit
from notifications.alerts import raise_alert
from payments import gateway
from payments.models import WebhookEvent
from payments.webhook.event_types import LISTENED_FOR
from payments.webhook.inbox import UnusableEvent, store_event

log = structlog.get_logger()

# Stripe keeps events for 30 days.
_FURTHEST_BACK = timedelta(days=30)
# Looked at again each time: an event may appear in the list a little after later ones.
_OVERLAP = timedelta(hours=1)
_SEARCH = "payments.take_in_missed_events"


def take_in_missed_events(*, since: datetime | None = None) -> int:
    """Store every event of Stripe's list that we listen for and that is not in the inbox; returns how many were missing.

    Starts an hour before the latest search that came to its end, so a silence of days is searched in whole, also if it
    ended with a webhook before anybody searched, or with yesterday's backup.
    Raises gateway.StripeUnreachable; what was found until then is kept, and the next search starts where this one did.
    """
    began_at, found = timezone.now(), 0
    for event in gateway.list_events(created_from=since or _start(), types=LISTENED_FOR):
        try:
            found += store_event(event, source=WebhookEvent.Source.BACKFILL)
        except UnusableEvent as problem:
            raise_alert(key=f"event-unusable:{problem.kind}", title=f"An event in Stripe's list is unusable: {problem}")
    if since is None:
        heartbeats.note(name=_SEARCH, at=began_at)
    if found:
        wake_after_commit(WebhookEvent)
        log.warning("missed_events_found", count=found)
    return found


def _start() -> datetime:
    furthest = timezone.now() - _FURTHEST_BACK
    latest = heartbeats.last_seen(_SEARCH)
    return max(latest - _OVERLAP, furthest) if latest else furthest
