"""Work on one stored event: act on it in one transaction, note how it went, and have the mirror read the object."""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from django.db import DataError, transaction

from jobs.models import WorkParked, WorkPostponed
from payments.models import EventAttempt, WebhookEvent
from payments.refund_outcomes import RefundDisagrees
from payments.registry import UnknownDomain
from payments.settlement import PaymentDisagrees, PaymentUnknown, SessionNotStoredYet
from payments.webhook import event_handlers
from payments.webhook.mirror import ask_mirror_to_read
from payments.webhook.routing import route_of

log = structlog.get_logger()

# The process that opened the session stores its id within moments; if it was killed, the payment's follow-up does, which
# may take as long as Stripe is silent. So each wait is twice the one before.
_UNTIL_SESSION_IS_STORED = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=15)


class Quarantined(WorkParked):
    """The event points to something we do not know, or contradicts it: never acted on until a person has looked."""


def handle_event(event: WebhookEvent) -> None:
    """Act on an event. The effect and the note that it is done are one transaction, so a repeat finds both or none."""
    started = time.monotonic()
    try:
        with transaction.atomic():
            outcome = _act(event)[:200]
            _note(event, started, outcome=outcome)
            ask_mirror_to_read(event.payload["data"]["object"])
            event.mark_done(outcome=outcome, order=event.order, is_quarantined=False)
    except WorkPostponed:
        raise
    except Exception as error:
        if isinstance(error, Quarantined):
            WebhookEvent.objects.filter(pk=event.pk).update(is_quarantined=True, outcome="quarantined")
        _note(event, started, outcome=type(error).__name__, error=str(error))
        raise


def _act(event: WebhookEvent) -> str:
    """Apply the effect of the event's type, translating what must not be retried into quarantine."""
    try:
        return route_of(event.type).effect(event, event.payload["data"]["object"])
    except SessionNotStoredYet as early:
        delay = min(_UNTIL_SESSION_IS_STORED * 2**event.postponements, _LONGEST_WAIT)
        raise WorkPostponed(f"session of {early} not stored yet", delay=delay) from early
    except (PaymentUnknown, PaymentDisagrees, RefundDisagrees, UnknownDomain) as problem:
        raise Quarantined(f"{type(problem).__name__}: {problem}") from problem
    except event_handlers.Unreadable as problem:
        raise WorkParked(f"The event does not have the fields we know: {problem}") from problem
    except DataError as problem:
        # An id longer than its column, for one: the same event would fail the same way each time.
        raise WorkParked(f"The event holds a value that cannot be stored: {problem}") from problem


def _note(event: WebhookEvent, started: float, *, outcome: str, error: str = "") -> None:
    EventAttempt.objects.create(
        event=event,
        milliseconds=int((time.monotonic() - started) * 1000),
        outcome=outcome[:200],
        error=error,
    )
