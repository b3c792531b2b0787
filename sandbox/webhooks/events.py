"""Events: a snapshot of an object when it changed, queued for every endpoint that listens (docs: "Event object")."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sandbox import clock, identifiers, request_log, store
from sandbox.options import options
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

    `previous` has the old values of changed fields. `is_automatic` marks an event that no API call caused, such as an
    expiry: its `request` is empty.
    """
    came_from = origin.Origin() if is_automatic else origin.current()
    endpoints = queue.listening(event_type)
    data: Body = {"object": presented(body)}
    if previous is not None:
        data["previous_attributes"] = _changed_keys(previous, data["object"])
    event: Body = {
        "id": identifiers.new_id("evt_3" if event_type.startswith(PAYMENT_FAMILIES) else "evt_1", 23),
        "object": "event",
        "api_version": options().api_version,
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
def emitting_first(emit_earlier: Callable[[], object]) -> Iterator[None]:
    """Call `emit_earlier` at the end of the block and put its events before all events emitted in the block.

    The event of a subscription's creation precedes those of its first invoice, but shows the invoice's outcome.
    """
    held: list[_Held] = []
    token = _held.set(held)
    try:
        yield
    finally:
        _held.reset(token)
    emit_earlier()
    outer = _held.get()
    if outer is not None:
        outer += held
        return
    for waiting in held:
        with store.acting_for(waiting.account):
            _record(waiting.event, waiting.endpoints)


@contextmanager
def suppressing_events() -> Iterator[None]:
    """Discard the events of the block, because its changes will be undone."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def _whose() -> Body:
    """The `account` field, which only events of connected accounts have (docs: "Event object", `account`)."""
    account = store.acting_account()
    return {} if account == options().account_id else {"account": account}


def with_pending_count(event: Body) -> Body:
    """The event with its current number of unacknowledged deliveries."""
    return event | {"pending_webhooks": queue.count_pending(event)}
