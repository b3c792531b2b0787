"""Store each event once, whether it was delivered by a webhook or found in Stripe's list."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DataError, connection, transaction

from payments.models import ConnectedAccount, WebhookEvent
from payments.webhook.routing import connected_account_of, route_of

# Stripe's identifiers are far shorter.
_ID_LENGTH_AT_MOST = 100
# Stripe's deepest objects, expanded, have some fifteen levels.
_DEPTH_AT_MOST = 64


class UnusableEvent(Exception):
    """Signed by Stripe, but not an event for this site. `kind` groups the alerts."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read_event(body: bytes) -> tuple[dict[str, Any], str]:
    """The event in a body, and its original text, which is stored unchanged. Raises UnusableEvent.

    Also refuses what PostgreSQL would store but Python could not load again: jsonb expands 1e5000 into more digits than
    `int` accepts, and nesting that just fits on this stack may be too deep for a worker's.
    """
    try:
        text = body.decode()
        event = json.loads(text, parse_float=_read_finite, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UnusableEvent("json", "The body is not JSON.") from error
    if not isinstance(event, dict):
        raise UnusableEvent("json", "The body is not an event.")
    return event, text


def _read_finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise UnusableEvent("unstorable", "The event holds a number that is too large.")
    return number


def _refuse_constant(name: str) -> float:
    raise UnusableEvent("unstorable", f"The event holds {name}, which is not JSON.")


def store_event(event: Mapping[str, Any], *, source: str, text: str = "") -> bool:
    """Store an event in one statement; False if it was stored before. Raises UnusableEvent.

    `text` is the event as JSON, if the caller has it. Raw SQL, because Stripe waits for the answer: the unique id
    decides, without a query before the insert.
    """
    try:
        return _insert([_row_of(event, source=source, text=text)]) == 1
    except DataError as problem:
        # JSON that jsonb refuses: NUL, half a surrogate pair, NaN, too large a number. As a database error it would be
        # answered with 503, and Stripe would repeat it for three days.
        raise UnusableEvent("unstorable", "The event holds a value that cannot be stored.") from problem


def store_events(events: Sequence[Mapping[str, Any]], *, source: str) -> tuple[int, list[UnusableEvent]]:
    """Store many events in one statement; returns how many were new, and the problems of those that were left out."""
    rows, problems = [], []
    for event in events:
        try:
            rows.append(_row_of(event, source=source))
        except UnusableEvent as problem:
            problems.append(problem)
    try:
        with transaction.atomic():
            return _insert(rows), problems
    except DataError:
        return _insert_one_by_one(rows, problems), problems


def _insert_one_by_one(rows: Sequence[_Row], problems: list[UnusableEvent]) -> int:
    """Store each row separately, so that one that cannot be stored does not prevent the others."""
    stored = 0
    for row in rows:
        try:
            with transaction.atomic():
                stored += _insert([row])
        except DataError:
            problems.append(UnusableEvent("unstorable", f"{row.stripe_id} holds a value that cannot be stored."))
    return stored


class _Row(NamedTuple):
    """The values of one event, in the order of `_COLUMNS`."""

    stripe_id: str
    type: str
    livemode: bool
    payload: str
    source: str
    needs_fetch: bool
    priority: int
    delay_seconds: float


_COLUMNS = "stripe_id, type, livemode, payload, source, needs_fetch, priority, run_after"
_VALUES = "(%s, %s, %s, %s::jsonb, %s, %s, %s, statement_timestamp() + make_interval(secs => %s))"


def _row_of(event: Mapping[str, Any], *, source: str, text: str = "") -> _Row:
    _refuse_foreign(event)
    _refuse_deep(event)
    route = route_of(event["type"], is_of_account=bool(connected_account_of(event)))
    return _Row(
        stripe_id=event["id"],
        type=event["type"],
        livemode=event["livemode"],
        payload=text or json.dumps(event),
        source=source,
        needs_fetch=route.needs_fetch,
        priority=route.priority,
        delay_seconds=route.delay.total_seconds(),
    )


def _insert(rows: Sequence[_Row]) -> int:
    """Insert the events that are not stored yet, in one statement; returns their number."""
    if not rows:
        return 0
    values = ", ".join([_VALUES] * len(rows))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_TABLE} ({_COLUMNS}) VALUES {values} ON CONFLICT (stripe_id) DO NOTHING",  # noqa: S608
            [value for row in rows for value in row],
        )
        return int(cursor.rowcount)


_TABLE = connection.ops.quote_name(WebhookEvent._meta.db_table)


def _refuse_foreign(event: Mapping[str, Any]) -> None:
    event_id, event_type = event.get("id"), event.get("type")
    is_event = (
        event.get("object") == "event"
        and _is_name(event_id)
        and _is_name(event_type)
        and isinstance(event.get("livemode"), bool)
        and isinstance(event.get("data"), dict)
        and isinstance(event["data"].get("object"), dict)
    )
    if not is_event:
        raise UnusableEvent("shape", "The body is not an event of Stripe's.")
    if event["livemode"] != settings.STRIPE_LIVE_MODE:
        raise UnusableEvent("mode", "A live event reached a test site, or the reverse.")
    account = event.get("account")
    if account not in (None, settings.STRIPE_ACCOUNT_ID) and not _is_connected(account):
        raise UnusableEvent("account", "The event belongs to another account.")


def _is_connected(account: object) -> bool:
    """Whether a teacher has or had this account."""
    return _is_name(account) and ConnectedAccount.objects.filter(stripe_account_id=account).exists()


def _refuse_deep(event: Mapping[str, Any]) -> None:
    layer: list[Any] = [event]
    for _ in range(_DEPTH_AT_MOST):
        parts = [part.values() if isinstance(part, dict) else part for part in layer]
        layer = [child for part in parts for child in part if isinstance(child, dict | list)]
        if not layer:
            return
    raise UnusableEvent("unstorable", "The event is nested too deeply.")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _ID_LENGTH_AT_MOST and value.isprintable()
