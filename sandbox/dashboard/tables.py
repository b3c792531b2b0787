"""Pages of rows, newest first, by cursor, so that the hundredth page is as fast as the first."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, QueryDict

from sandbox.dashboard.cells import Cell, Column
from sandbox.store import Body

PER_PAGE = 25
LARGEST_CURSOR = 2**62
AnyModel = TypeVar("AnyModel", bound=Model)


@dataclass(frozen=True)
class Table:
    """Rows ready to print, and links to newer and older ones."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[tuple[str, Cell]]]
    nothing: str = "Nothing yet."
    newer: str = ""
    older: str = ""
    is_cut: bool = field(default=False)


def tabled(
    title: str,
    columns: Sequence[Column],
    bodies: Iterable[Body],
    *,
    nothing: str = "Nothing yet.",
    limit: int = PER_PAGE,
) -> Table:
    """A table without pages: the first `limit` bodies, and whether there are more."""
    bodies = list(bodies)
    return Table(
        title,
        [column.title for column in columns],
        [[(column.title, column.read(body)) for column in columns] for body in bodies[:limit]],
        nothing,
        is_cut=len(bodies) > limit,
    )


def choices(names: Iterable[str]) -> list[tuple[str, str]]:
    """The choices of a filter, each with its label."""
    return [(name, name.replace("_", " ")) for name in names]


@dataclass(frozen=True)
class Page:
    """One page of items, and the query strings of the pages beside it; empty if there is none."""

    items: Sequence[Any]
    newer: str = ""
    older: str = ""


def page_of(rows: QuerySet[AnyModel], request: HttpRequest) -> Page:
    """The page of rows at the cursor `after` or `before` in the query string. Raises Http404 for an invalid cursor."""
    after, before = _cursor(request, "after"), _cursor(request, "before")
    if before is not None:
        newest_last = list(rows.filter(pk__gt=before).order_by("pk")[: PER_PAGE + 1])
        items, has_newer, has_older = newest_last[:PER_PAGE][::-1], len(newest_last) > PER_PAGE, True
    else:
        if after is not None:
            rows = rows.filter(pk__lt=after)
        found = list(rows.order_by("-pk")[: PER_PAGE + 1])
        items, has_newer, has_older = found[:PER_PAGE], after is not None, len(found) > PER_PAGE
    if not items:
        return Page([], newer=_query(request.GET) if after is not None or before is not None else "")
    return Page(
        items,
        newer=_query(request.GET, before=items[0].pk) if has_newer else "",
        older=_query(request.GET, after=items[-1].pk) if has_older else "",
    )


def page_of_items(items: Sequence[Any], request: HttpRequest, name_of: Callable[[Any], str]) -> Page:
    """The same for items in memory, with their names as cursors."""
    names = [name_of(item) for item in items]
    after = request.GET.get("after", "")
    if after and after not in names:
        raise Http404
    start = names.index(after) + 1 if after else 0
    shown = items[start : start + PER_PAGE]
    has_older = len(items) > start + PER_PAGE
    return Page(
        shown,
        newer=_query(request.GET) if start else "",
        older=_query(request.GET, after=name_of(shown[-1])) if has_older else "",
    )


def _cursor(request: HttpRequest, name: str) -> int | None:
    written = request.GET.get(name, "")
    if not written:
        return None
    if not (written.isascii() and written.isdigit() and len(written) < 20 and int(written) < LARGEST_CURSOR):  # noqa: PLR2004
        raise Http404
    return int(written)


def _query(current: QueryDict, **cursor: Any) -> str:
    """The query string of the page before or after: the same filters, another cursor."""
    query = current.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    for name, value in cursor.items():
        query[name] = str(value)
    return "?" + query.urlencode()
