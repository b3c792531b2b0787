"""The audit trail as a CSV file, written line by line. Each export is itself a line of the trail."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from operations.models import Change
from payments.csv_cells import as_plain_cell

_TITLES = (
    "When (UTC)",
    "Who",
    "Action",
    "Kind of object",
    "Id",
    "Table",
    "Before",
    "After",
    "Through",
    "Place",
    "Request",
    "Role of the database",
    "Emergency access",
)
_PER_QUERY = 1000


def lines_of(changes: QuerySet[Change]) -> Iterator[str]:
    """The changes as lines of CSV, the newest first, in constant memory. Cells never begin a formula."""
    writer = csv.writer(_Echo())
    yield writer.writerow(_TITLES)
    changes = changes.select_related("actor").order_by("-pk")
    last: int | None = None
    # By key and not by a cursor, which a pooler in transaction mode would lose.
    while batch := list((changes if last is None else changes.filter(pk__lt=last))[:_PER_QUERY]):
        for change in batch:
            yield writer.writerow([as_plain_cell(cell) for cell in _cells(change)])
        last = batch[-1].pk


def record_export(*, query: str, count: int) -> None:
    """Record that the trail was exported, with the filters; the caller's context says by whom."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO operations_change (at, action, model, table_name, object_id, after, actor_id, source, place,
                                              request_id, database_user, emergency_access_id)
               SELECT clock_timestamp(), 'insert', 'operations.change', 'operations_change', 'export', %s::jsonb,
                      (context ->> 'user')::bigint, coalesce(context ->> 'source', 'database'),
                      coalesce(context ->> 'place', ''), coalesce(context ->> 'request', ''), session_user, (context ->> 'emergency')::bigint
                 FROM (SELECT nullif(current_setting('pghistory.context_metadata', true), '')::jsonb AS context) AS given""",
            [json.dumps({"filters": query, "lines": count})],
        )


def _cells(change: Change) -> tuple[str, ...]:
    return (
        f"{change.at:%Y-%m-%d %H:%M:%S}",
        change.actor.email if change.actor else "",
        change.action,
        change.model,
        change.object_id,
        change.table_name,
        _as_text(change.before),
        _as_text(change.after),
        change.source,
        change.place,
        change.request_id,
        change.database_user,
        str(change.emergency_access_id or ""),
    )


def _as_text(values: Any) -> str:
    return "" if values is None else json.dumps(values, ensure_ascii=False, sort_keys=True)


class _Echo:
    """A file whose `write` returns the line, as csv's writer needs."""

    def write(self, line: str) -> str:
        return line
