"""Process one stored event: act on it in one transaction, record the attempt, and queue the mirror's copies."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.db import DataError, transaction
from django.db.models import Q

from jobs.models import WorkParked, WorkPostponed
from jobs.wakeups import wake_after_commit
from payments.disputes.recording import DisputeDisagrees
from payments.evidence import ConfirmationNeeded, PaymentDisagrees, PaymentUnknown, SessionNotStoredYet
from payments.metadata import OurMetadata
from payments.models import EventAttempt, FetchedEvent, Payment, WebhookEvent
from payments.payouts.recording import TransferDisagrees
from payments.refunds.recording import RefundDisagrees
from payments.registry import UnknownDomain, registered_domains
from payments.stripe_api import StripeMisconfigured, StripeRefused
from payments.webhook.fetches import Unreadable
from payments.webhook.mirror import request_event_copy
from payments.webhook.routing import Route, connected_account_of, route_of

log = structlog.get_logger()

# The process that opened the session stores its id within moments. If it was killed, the payment's follow-up does so,
# which may take as long as Stripe is silent, so each wait is twice the one before.
_UNTIL_SESSION_IS_STORED = timedelta(seconds=1)
_LONGEST_WAIT = timedelta(minutes=15)


class Quarantined(WorkParked):
    """The event points to something unknown, or contradicts it: not acted on until staff have looked at it."""


class _NotOurs(Exception):
    """Another product on the same Stripe account made the object."""


def handle_event(event: WebhookEvent) -> None:
    """Act on an event. The effect and the mark that it is done are one transaction, so a repeat finds both or neither.

    Performs both lanes: an event in the urgent lane that needs a fetch is moved to the other one.
    """
    started = time.monotonic()
    obj = event.payload["data"]["object"]
    account = connected_account_of(event.payload)
    route = route_of(event.type, is_confirmed=event.needs_fetch, is_of_account=bool(account))
    if route.needs_fetch and not event.needs_fetch:
        _move_to_fetched(event)
        return
    try:
        with _contradictions_quarantined(event, obj):
            fetched = _fetch(route, obj, account=account)
            with transaction.atomic():
                outcome = route.handle(event, fetched)
                # The mirror holds the platform's objects only.
                request_event_copy(event.stripe_id, None if account else obj)
                _finish(event, started, outcome)
    except WorkPostponed:
        raise
    except _NotOurs:
        with transaction.atomic():
            request_event_copy(event.stripe_id)
            _finish(event, started, "not ours")
    except ConfirmationNeeded:
        _record_attempt(event, started, outcome="to be confirmed by Stripe")
        _move_to_fetched(event)
    except Exception as error:
        if isinstance(error, Quarantined):
            WebhookEvent.objects.filter(pk=event.pk).update(is_quarantined=True, outcome="quarantined")
        _record_attempt(event, started, outcome=type(error).__name__, error=str(error))
        raise


def _fetch(route: Route, obj: Mapping[str, Any], *, account: str) -> Any:
    """What the handler acts on: the object's current state if the route has a fetch, otherwise the object as signed."""
    if route.fetch_in_account:
        return route.fetch_in_account(account, obj)
    return route.fetch(obj) if route.fetch else obj


def _move_to_fetched(event: WebhookEvent) -> None:
    event.put_back(needs_fetch=True)
    wake_after_commit(FetchedEvent)


def _finish(event: WebhookEvent, started: float, outcome: str) -> None:
    _record_attempt(event, started, outcome=outcome)
    event.mark_done(outcome=outcome[:200], order=event.order, is_quarantined=False)


def _is_ours(obj: Mapping[str, Any]) -> bool:
    """Whether an object's metadata or ids show that it belongs to this site."""
    metadata = obj.get("metadata")
    if isinstance(metadata, Mapping) and OurMetadata.read(metadata).is_ours:
        return True
    ids = [value for value in (obj.get("id"), obj.get("payment_intent")) if isinstance(value, str)]
    return Payment.objects.filter(Q(stripe_session_id__in=ids) | Q(stripe_payment_intent_id__in=ids)).exists()


@contextlib.contextmanager
def _contradictions_quarantined(event: WebhookEvent, obj: Mapping[str, Any]) -> Iterator[None]:
    """Translate errors that no retry would resolve: a contradiction is quarantined, an unreadable event is parked."""
    try:
        yield
    except SessionNotStoredYet as early:
        delay = min(_UNTIL_SESSION_IS_STORED * 2**event.postponements, _LONGEST_WAIT)
        raise WorkPostponed(f"session of {early} not stored yet", delay=delay) from early
    except (PaymentUnknown, Unreadable) as problem:
        if not _is_ours(obj):
            # From another product on the same Stripe account, or `stripe trigger`: no alert is needed.
            raise _NotOurs from problem
        if isinstance(problem, Unreadable):
            raise WorkParked(f"The event does not have the fields we know: {problem}") from problem
        raise _quarantine_unknown(event, _what_is_unknown(obj, problem)) from problem
    except UnknownDomain as problem:
        raise _quarantine_unknown(event, f"Unknown domain {problem}") from problem
    except (PaymentDisagrees, RefundDisagrees, DisputeDisagrees, TransferDisagrees) as problem:
        raise Quarantined(f"{type(problem).__name__}: {problem}") from problem
    except DataError as problem:
        # For example an id longer than its column: every retry would fail in the same way.
        raise WorkParked(f"The event holds a value that cannot be stored: {problem}") from problem
    except StripeMisconfigured:
        raise
    except StripeRefused as refusal:
        raise WorkParked(f"Stripe refused to return the object: {refusal}") from refusal


def _what_is_unknown(obj: Mapping[str, Any], problem: PaymentUnknown) -> str:
    named = OurMetadata.read(obj.get("metadata"))
    for domain in sorted(named.domains - registered_domains()):
        return f"Unknown domain {domain}"
    return f"Unknown order {named.order or named.payment or problem}"


def _quarantine_unknown(event: WebhookEvent, what: str) -> Quarantined:
    log.warning(what, event_id=event.stripe_id, event_type=event.type)
    return Quarantined(what)


def _record_attempt(event: WebhookEvent, started: float, *, outcome: str, error: str = "") -> None:
    EventAttempt.objects.create(
        event=event,
        milliseconds=int((time.monotonic() - started) * 1000),
        outcome=outcome[:200],
        error=error,
    )
