"""Lists: newest first, paged by cursor, filtered (docs: "Pagination")."""

from typing import Any

from django.db.models import QuerySet

from sandbox import store
from sandbox.models import StoredObject
from sandbox.protocol import errors
from sandbox.protocol.errors import ApiError
from sandbox.protocol.parameters import CREATED, PAGING, Integer, Spec, Text
from sandbox.protocol.resource import Resource, presented
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

DEFAULT_LIMIT = 10
# Filters whose name is also the kind of the object they refer to.
NAMED_BY_KIND = ("coupon", "customer", "invoice", "product", "subscription")


def list_route(resource: Resource, path: str, specs: dict[str, Spec] | None = None) -> None:
    """Register GET on a collection, with paging, `created`, and the resource's own filters."""
    filters: dict[str, Spec] = {name: Text() for name in resource.filters}

    @route("GET", path, {**filters, **PAGING, "created": CREATED, **(specs or {})})
    def answer(call: Call) -> Body:
        return page(resource, call, url=path)


def empty_list_route(path: str) -> None:
    """Register GET on a collection that is always empty here; sync commands list it."""

    @route("GET", path, {**PAGING, "created": CREATED, "customer": Text(), "object": Text(), "id": Text()})
    def answer(_: Call) -> Body:
        return as_list([], url=path)


def as_list(items: list[Body], *, url: str, has_more: bool = False) -> Body:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def page(resource: Resource, call: Call, *, url: str, rows: QuerySet[StoredObject] | None = None) -> Body:
    """One page of the objects that match a call's filters, taken from `rows` or from all objects of the resource."""
    require_existing(call, *(name for name in NAMED_BY_KIND if name in resource.filters))
    found = _filtered(store.rows(resource.kind) if rows is None else rows, resource, call.params)
    limit: int = call.get("limit", DEFAULT_LIMIT)
    after, before = _cursors(call)
    if before:
        newer = found.filter(sequence__gt=_sequence_of(resource, before, "ending_before"))
        bodies = list(newer.order_by("sequence").values_list("body", flat=True)[: limit + 1])
        chosen = bodies[:limit][::-1]
    else:
        if after:
            found = found.filter(sequence__lt=_sequence_of(resource, after, "starting_after"))
        bodies = list(found.order_by("-sequence").values_list("body", flat=True)[: limit + 1])
        chosen = bodies[:limit]
    return as_list([presented(body) for body in chosen], url=url, has_more=len(bodies) > limit)


def page_of_items(items: list[Body], call: Call, *, url: str) -> Body:
    """One page of items stored inside another object, in their stored order."""
    limit: int = call.get("limit", DEFAULT_LIMIT)
    ids = [item["id"] for item in items]
    after, before = _cursors(call)
    for cursor, param in ((after, "starting_after"), (before, "ending_before")):
        if cursor and cursor not in ids:
            raise errors.no_such("line_item", cursor, param=param)
    if before:
        items = items[: ids.index(before)]
        return as_list(items[-limit:], url=url, has_more=len(items) > limit)
    if after:
        items = items[ids.index(after) + 1 :]
    return as_list(items[:limit], url=url, has_more=len(items) > limit)


def _cursors(call: Call) -> tuple[str | None, str | None]:
    """`starting_after` and `ending_before`. Raises a 400 if both were sent."""
    after, before = call.get("starting_after"), call.get("ending_before")
    if after and before:
        raise ApiError(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            param="starting_after",
        )
    return after, before


def require_existing(call: Call, *names: str) -> None:
    """Raise Stripe's 400 for a filter by an object that never existed; each filter's name is also the object's kind."""
    for name in names:
        if name in call.params and store.find(name, call[name]) is None:
            raise errors.no_such(name, call[name], param=name)


def _sequence_of(resource: Resource, object_id: str, param: str) -> int:
    sequence = store.sequence_of(resource.kind, object_id)
    if sequence is None:
        raise errors.no_such(resource.label or resource.kind, object_id, param=param)
    return sequence


def _filtered(rows: QuerySet[StoredObject], resource: Resource, params: dict[str, Any]) -> QuerySet[StoredObject]:
    for name, column in resource.filters.items():
        if name in params:
            value = params[name]
            rows = rows.filter(**{f"{column}__in": value} if isinstance(value, list) else {column: value})
    return within(rows, "created", params.get("created"))


def within(rows: QuerySet[StoredObject], column: str, wanted: dict[str, int] | int | None) -> QuerySet[StoredObject]:
    """The rows whose column equals a value or lies within bounds (`gt`, `gte`, `lt`, `lte`); all rows for None."""
    if wanted is None:
        return rows
    bounds = wanted if isinstance(wanted, dict) else {"exact": wanted}
    return rows.filter(**{f"{column}__{bound}": value for bound, value in bounds.items()})


LIMIT_ONLY: dict[str, Spec] = {"limit": Integer(1, 100), "starting_after": Text(), "ending_before": Text()}
