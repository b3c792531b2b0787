"""The queue of deliveries: rows written with the event, due at once, retried at growing intervals."""

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
    """The enabled endpoints that asked for this type of event, of the acting account.

    What happens on a connected account is also told to the platform's endpoints that were made with `connect`.
    """
    account = store.acting_account()
    endpoints = store.living("webhook_endpoint", status="enabled")
    if account == options().account_id:
        endpoints = [endpoint for endpoint in endpoints if not endpoint.get("_connect")]
    else:
        with store.acting_for(None):
            platform = store.living("webhook_endpoint", status="enabled")
            endpoints += [endpoint for endpoint in platform if endpoint.get("_connect") or endpoint.get("_configured")]
    return [e for e in endpoints if "*" in e["enabled_events"] or event_type in e["enabled_events"]]


def enqueue(event: Body, endpoints: list[Body]) -> None:
    """Owe an event to endpoints, in whatever way deliveries currently misbehave."""
    if not endpoints:
        return
    mode = modes.mode_for(event["type"])
    state = _FIRST_STATES.get(mode.name, Delivery.State.PENDING)
    copies = 2 if mode.name == modes.DUPLICATE else 1
    for endpoint in endpoints:
        for _ in range(copies):
            _owe(event, endpoint, state=state, after=mode.extra_delay())
    transaction.on_commit(delivery_arrived.set)


def _owe(event: Body, endpoint: Body, *, state: Delivery.State = Delivery.State.PENDING, after: float = 0.0) -> None:
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
class Owed:
    """What an attempt has to know of a delivery: its row, what goes where, and how often that was tried."""

    delivery: int
    event: str
    endpoint: str
    attempts: int


def due(most: int, *, but: Collection[int] = (), but_to: Collection[str] = ()) -> list[Owed]:
    """The deliveries that are due, oldest first, without some and without those to some endpoints."""
    statement = (
        f"SELECT id, event, endpoint, attempts FROM {_TABLE} WHERE state = ? AND next_attempt_at <= ? "  # noqa: S608
        f"AND id NOT IN ({', '.join('?' * len(but))}) AND endpoint NOT IN ({', '.join('?' * len(but_to))}) "
        "ORDER BY next_attempt_at, id LIMIT ?"
    )
    values = (Delivery.State.PENDING.value, clock.wall(), *but, *but_to, most)
    return [Owed(*row) for row in statements.run(statement, values)]


def count_pending(event: Body) -> int:
    """How many deliveries of an event are still to come."""
    states = (Delivery.State.PENDING.value, Delivery.State.HELD.value)
    statement = f"SELECT count(*) FROM {_TABLE} WHERE event = ? AND state IN (?, ?)"  # noqa: S608
    return int(statements.run(statement, (event["id"], *states)).fetchone()[0])


def retry_delay(attempts: int) -> float | None:
    """Seconds until the next attempt after `attempts` failed ones; None when that was the last."""
    delays = options().retry_delays
    return delays[attempts - 1] if attempts <= len(delays) else None


def release_held() -> int:
    """Release everything held or dropped, in order. Returns the number of deliveries."""
    with store.writing():
        released = Delivery.objects.filter(state__in=[Delivery.State.HELD, Delivery.State.DROPPED]).update(
            state=Delivery.State.PENDING, next_attempt_at=clock.wall()
        )
    delivery_arrived.set()
    return released


def resend(event: Body) -> int:
    """Queue an event again for all endpoints that listen now. Returns how many."""
    with store.acting_for(event.get("account")):
        endpoints = listening(event["type"])
    with store.writing():
        for endpoint in endpoints:
            _owe(event, endpoint)
    delivery_arrived.set()
    return len(endpoints)


def send_now(deliveries: QuerySet[Delivery]) -> int:
    """Let deliveries that wait, are held or were given up be attempted at once. Returns how many that is."""
    with store.writing():
        hurried = deliveries.exclude(state=Delivery.State.SUCCEEDED).update(
            state=Delivery.State.PENDING, next_attempt_at=clock.wall()
        )
    delivery_arrived.set()
    return hurried


def send_again(delivery: Delivery) -> Delivery:
    """Owe an event once more to the endpoint of an earlier delivery; the automatic retries of that one go on."""
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
