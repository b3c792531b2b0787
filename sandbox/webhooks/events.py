"""Events: what happened, as a snapshot, owed at once to every endpoint that listens (docs: "Event object")."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sandbox import clock, identifiers, request_log, store
from sandbox.options import API_VERSION, options
from sandbox.protocol import origin
from sandbox.protocol.resource import presented
from sandbox.store import Body
from sandbox.webhooks import queue

PAYMENT_FAMILIES = ("payment_intent.", "charge.", "refund.")


@dataclass(frozen=True)
class _Held:
    """An event that must wait for an earlier one, and its account."""

    event: Body
    endpoints: list[Body]
    account: str


_held: ContextVar[list[_Held] | None] = ContextVar("held_events", default=None)


def emit(event_type: str, body: Body, *, previous: Body | None = None, is_automatic: bool = False) -> None:
    """Record an event and queue its deliveries, all in the caller's transaction.

    `previous` holds the old values of changed fields. `is_automatic` marks what no API call caused,
    such as an expiry: its `request` is empty.
    """
    came_from = origin.Origin() if is_automatic else origin.current()
    endpoints = queue.listening(event_type)
    data: Body = {"object": presented(body)}
    if previous is not None:
        data["previous_attributes"] = _changed_keys(previous, data["object"])
    event: Body = {
        "id": identifiers.new_id("evt_3" if event_type.startswith(PAYMENT_FAMILIES) else "evt_1", 23),
        "object": "event",
        "api_version": API_VERSION,
        "created": clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": len(endpoints),
        "request": {"id": came_from.request_id, "idempotency_key": came_from.idempotency_key},
        "type": event_type,
    } | _whose()
    held = _held.get()
    if held is None:
        _record(event, endpoints)
    else:
        # The object may change before the event is sent; copying through JSON takes a third of the time.
        held.append(_Held(json.loads(json.dumps(event)), endpoints, store.acting_account()))


def _record(event: Body, endpoints: list[Body]) -> None:
    store.insert(event)
    queue.enqueue(event, endpoints)
    request_log.note_event(event)


def _changed_keys(previous: Body, now: Body) -> Body:
    """Only changed keys of metadata are reported, with null for a new one (observed at Stripe)."""
    old, new = previous.get("metadata"), now.get("metadata")
    if not isinstance(old, dict) or not isinstance(new, dict):
        return previous
    return previous | {"metadata": {key: old.get(key) for key in (*old, *new) if old.get(key) != new.get(key)}}


@contextmanager
def telling_first(tell: Callable[[], object]) -> Iterator[None]:
    """Put the events that `tell` emits at the end of the block before all events emitted in it.

    A subscription tells of its creation before its first invoice does, and yet shows what became of that invoice.
    """
    held: list[_Held] = []
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)
    tell()
    outer = _held.get()
    if outer is not None:
        outer += held
        return
    for waiting in held:
        with store.acting_for(waiting.account):
            _record(waiting.event, waiting.endpoints)


@contextmanager
def untold() -> Iterator[None]:
    """Suppress the events of the block: it is only a rehearsal."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def _whose() -> Body:
    """Events of a connected account name it; the platform's own do not (docs: "Event object", `account`)."""
    account = store.acting_account()
    return {} if account == options().account_id else {"account": account}


def with_pending_count(event: Body) -> Body:
    """The event with the number of endpoints that have not acknowledged it yet."""
    return event | {"pending_webhooks": queue.count_pending(event)}
