"""Pages of lists, newest first, with cursors: rows that are added meanwhile move nothing between pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from api.cursors import next_address, read_cursor, write_cursor
from api.questions import read_query

Row = TypeVar("Row", bound=Model)


class ListQuestion(serializers.Serializer[Any]):
    """Which page of a list."""

    cursor = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=300, help_text="From `next` of a page."
    )
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=100)


def answer_page(
    request: Request,
    rows: QuerySet[Row],
    *,
    newest_by: str,
    describe: Callable[[Row], dict[str, Any]],
    is_in_order_of_key: bool = False,
) -> dict[str, Any]:
    """The page of these rows that the request asks for. `newest_by` names a column of moments that is never empty.

    If it is a column of another table, no index has these rows in its order. They are read in the order of their keys
    if that is the same one.
    """
    asked = read_query(ListQuestion, request)
    limit = asked["limit"]
    position = read_cursor(asked["cursor"], int)
    if position is not None:
        at, (last_pk,) = position
        older = Q(**{f"{newest_by}__lt": at}) | Q(pk__lt=last_pk)
        # The first condition is contained in the second, but it is the one that an index knows.
        rows = rows.filter(pk__lt=last_pk) if is_in_order_of_key else rows.filter(older, **{f"{newest_by}__lte": at})
    order = ["-pk"] if is_in_order_of_key else [f"-{newest_by}", "-pk"]
    found = list(rows.order_by(*order)[: limit + 1])
    shown = found[:limit]
    cursor = write_cursor(getattr(shown[-1], newest_by), shown[-1].pk) if len(found) > limit else None
    return {"next": next_address(request, cursor), "results": [describe(row) for row in shown]}


def list_of(answer: type[serializers.Serializer[Any]], *, name: str) -> type[serializers.Serializer[Any]]:
    """The serializer of a page of such answers, for the OpenAPI document."""
    fields = {
        "__doc__": "A page of a list, newest first.",
        "next": serializers.URLField(allow_null=True, help_text="The next page; null after the last one."),
        "results": answer(many=True),
    }
    return type(name, (serializers.Serializer,), fields)
