"""The queue of deliveries: rows written with the event, due immediately, retried at growing intervals."""

import threading
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from sandbox import clock, statements, store
from sandbox.models import Delivery
from sandbox.options import options
from sandbox.store import Body
from sandbox.webhooks import modes

_FIRST_STATES = {modes.DROP: Delivery.State.DROPPED, modes.HOLD: Delivery.State.HELD}
_TABLE = Delivery._meta.db_table
delivery_arrived = threading.Event()


def listening(event_type: str) -> list[Body]:
    """The acting account's enabled endpoints for this type of event.

    Events of a connected account are also sent to the platform's endpoints that were created with `connect`.
    """
    account = store.acting_account()
    endpoints = store.existing("webhook_endpoint", status="enabled")
    if account == options().account_id:
        endpoints = [endpoint for endpoint in endpoints if not endpoint.get("_connect")]
    else:
        with store.acting_for(None):
            platform = store.existing("webhook_endpoint", status="enabled")
            endpoints += [endpoint for endpoint in platform if endpoint.get("_connect") or endpoint.get("_configured")]
    return [e for e in endpoints if "*" in e["enabled_events"] or event_type in e["enabled_events"]]


def enqueue(event: Body, endpoints: list[Body]) -> None:
    """Queue an event for endpoints, according to the current delivery mode."""
    if not endpoints:
        return
    mode = modes.mode_for(event["type"])
    state = _FIRST_STATES.get(mode.name, Delivery.State.PENDING)
    copies = 2 if mode.name == modes.DUPLICATE else 1
    for endpoint in endpoints:
        for _ in range(copies):
            _queue(event, endpoint, state=state, after=mode.extra_delay())
    transaction.on_commit(delivery_arrived.set)


def _queue(event: Body, endpoint: Body, *, state: Delivery.State = Delivery.State.PENDING, after: float = 0.0) -> None:
    delivery = {
        "event": event["id"],
        "event_type": event["type"],
        "endpoint": endpoint["id"],
        "state": state.value,
        "attempts": 0,
        "next_attempt_at": clock.wall() + after,
        "last_answer": "",
    }
    statements.insert_into(_TABLE, delivery)


@dataclass(frozen=True)
class DueDelivery:
    """A due delivery: the id of its row, the ids of event and endpoint, and the number of attempts so far."""

    id: int
    event: str
    endpoint: str
    attempts: int


def due(most: int, *, but: Collection[int] = (), but_to: Collection[str] = ()) -> list[DueDelivery]:
    """Up to `most` due deliveries, oldest first, without those in `but` and those to the endpoints in `but_to`."""
    statement = (
        f"SELECT id, event, endpoint, attempts FROM {_TABLE} WHERE state = ? AND next_attempt_at <= ? "  # noqa: S608
        f"AND id NOT IN ({', '.join('?' * len(but))}) AND endpoint NOT IN ({', '.join('?' * len(but_to))}) "
        "ORDER BY next_attempt_at, id LIMIT ?"
    )
    values = (Delivery.State.PENDING.value, clock.wall(), *but, *but_to, most)
    return [DueDelivery(*row) for row in statements.run(statement, values)]


def count_pending(event: Body) -> int:
    """The number of an event's deliveries that are pending or held."""
    states = (Delivery.State.PENDING.value, Delivery.State.HELD.value)
    statement = f"SELECT count(*) FROM {_TABLE} WHERE event = ? AND state IN (?, ?)"  # noqa: S608
    return int(statements.run(statement, (event["id"], *states)).fetchone()[0])


def retry_delay(attempts: int) -> float | None:
    """Seconds until the next attempt after `attempts` failures; None if there is no further attempt."""
    delays = options().retry_delays
    return delays[attempts - 1] if attempts <= len(delays) else None


def release_held() -> int:
    """Make all held and dropped deliveries due, in order. Returns the number of deliveries."""
    with store.writing():
        released = Delivery.objects.filter(state__in=[Delivery.State.HELD, Delivery.State.DROPPED]).update(
            state=Delivery.State.PENDING, next_attempt_at=clock.wall()
        )
    delivery_arrived.set()
    return released


def resend(event: Body) -> int:
    """Queue an event again for all endpoints that listen now. Returns the number of endpoints."""
    with store.acting_for(event.get("account")):
        endpoints = listening(event["type"])
    with store.writing():
        for endpoint in endpoints:
            _queue(event, endpoint)
    delivery_arrived.set()
    return len(endpoints)


def send_now(deliveries: QuerySet[Delivery]) -> int:
    """Make waiting, held, dropped and abandoned deliveries due now. Returns the number of deliveries."""
    with store.writing():
        hurried = deliveries.exclude(state=Delivery.State.SUCCEEDED).update(
            state=Delivery.State.PENDING, next_attempt_at=clock.wall()
        )
    delivery_arrived.set()
    return hurried


def send_again(delivery: Delivery) -> Delivery:
    """Queue a delivery's event once more for its endpoint; the automatic retries of that delivery continue."""
    with store.writing():
        again = Delivery.objects.create(
            event=delivery.event,
            event_type=delivery.event_type,
            endpoint=delivery.endpoint,
            next_attempt_at=clock.wall(),
        )
    delivery_arrived.set()
    return again


def describe(delivery: Delivery) -> Body:
    """A delivery as the switches and the dashboard show it."""
    return {
        "id": delivery.pk,
        "event": delivery.event,
        "type": delivery.event_type,
        "endpoint": delivery.endpoint,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at,
        "last_attempt_at": delivery.last_attempt_at,
        "last_status": delivery.last_status,
        "last_answer": delivery.last_answer,
    }
