"""Announce an event: its rows, and those of its deliveries, in the transaction that decides it.

One statement however many events and endpoints there are, and nothing is written if no endpoint wants them: settlement
must not wait for programs of other people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import connection

from jobs.wakeups import wake_after_commit
from webhooks.event_types import EventType
from webhooks.models import Delivery

# One row for each viewer; an endpoint that is off gets its deliveries parked.
_WRITE = """
WITH announced AS MATERIALIZED (
     SELECT * FROM jsonb_to_recordset(%s::jsonb)
         AS announced (key text, type text, version int, data jsonb, user_id bigint, teacher_id bigint)),
     named AS MATERIALIZED (
     SELECT announced.key, announced.type, announced.version, announced.data,
            COALESCE(announced.user_id, teacher.user_id) AS user_id
       FROM announced LEFT JOIN accounts_teacher AS teacher ON teacher.id = announced.teacher_id),
     wanted AS MATERIALIZED (
     SELECT named.*, endpoint.id AS endpoint_id, endpoint.is_enabled
       FROM named JOIN webhooks_endpoint AS endpoint
            ON endpoint.user_id = named.user_id AND NOT endpoint.sees_everything
               AND named.type = ANY (endpoint.event_types)
      UNION ALL
     SELECT named.*, endpoint.id AS endpoint_id, endpoint.is_enabled
       FROM named JOIN webhooks_endpoint AS endpoint
            ON named.user_id IS NULL AND endpoint.sees_everything AND named.type = ANY (endpoint.event_types)),
     written AS (
     INSERT INTO webhooks_event (key, message_id, type, version, data)
     SELECT DISTINCT ON (key) key, 'evt_' || replace(gen_random_uuid()::text, '-', ''), type, version, data FROM wanted
         ON CONFLICT (key) DO NOTHING
     RETURNING id, key)
INSERT INTO webhooks_delivery (event_id, endpoint_id, state, finished_at, last_error)
SELECT written.id, wanted.endpoint_id,
       CASE WHEN wanted.is_enabled THEN 'waiting' ELSE 'parked' END,
       CASE WHEN wanted.is_enabled THEN NULL ELSE statement_timestamp() END,
       CASE WHEN wanted.is_enabled THEN '' ELSE %s END
  FROM written JOIN wanted USING (key)
    ON CONFLICT DO NOTHING
"""
WAS_OFF = "The endpoint was off when this happened."


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """An event as one person may see it. Named by neither user nor teacher, it is what staff see."""

    data: Mapping[str, Any]
    user_id: int | None = None
    teacher_id: int | None = None

    @property
    def viewer(self) -> str:
        """Who sees it, as part of the event's key."""
        if self.user_id is not None:
            return f"user:{self.user_id}"
        return "staff" if self.teacher_id is None else f"teacher:{self.teacher_id}"


_gathered: ContextVar[list[dict[str, Any]] | None] = ContextVar("gathered announcements", default=None)


@contextmanager
def announcements_gathered() -> Iterator[None]:
    """Write all events of this block in one statement at its end, or none if it raises. Use it inside the transaction.

    A nested block passes its events on to the outer one.
    """
    outer = _gathered.get()
    inner: list[dict[str, Any]] = []
    token = _gathered.set(inner)
    try:
        yield
    finally:
        _gathered.reset(token)
    if outer is None:
        _write(inner)
    else:
        outer += inner


def announce(event_type: EventType, *, subject: str, views: Sequence[View]) -> None:
    """Announce what happened to `subject`, such as "order:LX1", once: a repeat for the same viewer adds nothing.

    Call it in the transaction that decides it. The data has plain values only: ids, states, decimal texts.
    """
    rows = [
        {
            "key": f"{event_type.name}:{subject}:{view.viewer}",
            "type": event_type.name,
            "version": event_type.version,
            "data": dict(view.data),
            "user_id": view.user_id,
            "teacher_id": view.teacher_id,
        }
        for view in views
    ]
    gathered = _gathered.get()
    if gathered is None:
        _write(rows)
    else:
        gathered += rows


def same_for_all(
    data: Mapping[str, Any], *, user_id: int | None = None, teacher_id: int | None = None
) -> Sequence[View]:
    """The views of an event of which staff and these people may see the same."""
    views = [View(data=data)]
    if user_id is not None:
        views.append(View(data=data, user_id=user_id))
    if teacher_id is not None:
        views.append(View(data=data, teacher_id=teacher_id))
    return views


def _write(rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [json.dumps(rows), WAS_OFF])
        is_wanted = cursor.rowcount > 0
    if is_wanted:
        wake_after_commit(Delivery)
