"""Search (docs: "Search"): `status:"active" AND metadata["order"]:"6735"`, over the newest objects first.

Stripe's index may be a minute behind; the sandbox searches the stored objects directly.
"""

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from sandbox import store
from sandbox.protocol.errors import ApiError
from sandbox.protocol.parameters import Integer, Spec, Text
from sandbox.protocol.resource import Resource, presented
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

DEFAULT_LIMIT = 10
_CLAUSE = re.compile(
    r"""\s*(?P<negated>-)?(?P<field>[a-z_0-9.]+)(?:\[(?P<quote>["'])(?P<key>.{1,40}?)(?P=quote)\])?"""
    r"""(?P<operator>>=|<=|[:~><=])(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|null|-?[0-9.]+)\s*"""
)
_JOINT = re.compile(r"\s*(AND|OR)\s+")
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Clause:
    """One condition. `key` is set for metadata; None as `value` matches an absent field."""

    field: str
    key: str | None
    operator: str
    value: str | None
    is_negated: bool

    def holds(self, body: Body) -> bool:
        """Whether an object meets the condition."""
        actual = _value_at(body, self.field)
        if self.key is not None:
            actual = (actual or {}).get(self.key)
        return self._matches(actual) != self.is_negated

    def _matches(self, actual: Any) -> bool:
        if self.value is None:
            return actual is None
        if actual is None:
            return False
        if self.operator in _COMPARISONS:
            return isinstance(actual, int | float) and bool(
                _COMPARISONS[self.operator](float(actual), float(self.value))
            )
        text = str(actual).lower()
        return self.value.lower() in text if self.operator == "~" else self.value.lower() == text

    @property
    def is_found_by_text(self) -> bool:
        """Whether every matching object contains the value in its JSON text, ignoring case."""
        is_compared = self.is_negated or self.operator in _COMPARISONS
        return self.value is not None and self.value.isascii() and not is_compared


def _value_at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body.get(name) if isinstance(body, dict) else None
    return body


def parse(query: str, fields: tuple[str, ...]) -> tuple[list[Clause], bool]:
    """The clauses, and whether all of them must hold. Raises Stripe's 400 for a query it cannot parse."""
    clauses: list[Clause] = []
    joints: set[str] = set()
    position = 0
    while True:
        found = _CLAUSE.match(query, position)
        if found is None:
            raise _unreadable(query)
        clauses.append(_clause(found, fields))
        position = found.end()
        if position >= len(query.rstrip()):
            break
        joint = _JOINT.match(query, position)
        joints.add(joint.group(1) if joint else "AND")
        position = joint.end() if joint else position
    if len(joints) > 1:
        raise ApiError(
            "You can't combine `AND` and `OR` in the same query. Please see our docs for more details: "
            "https://stripe.com/docs/search#search-query-language.",
            param="query",
        )
    return clauses, joints != {"OR"}


def _clause(found: re.Match[str], fields: tuple[str, ...]) -> Clause:
    field, key, raw = found["field"], found["key"], found["value"]
    if field not in fields or (key is not None) != (field == "metadata"):
        raise ApiError(
            f"Field `{field}` is an unsupported search field for this resource. See "
            "https://stripe.com/docs/search#query-fields-for-each-resource for a list of supported fields.",
            param="query",
        )
    value = None if raw == "null" else re.sub(r"\\(.)", r"\1", raw[1:-1]) if raw[0] in "\"'" else raw
    if found["operator"] in _COMPARISONS and not re.fullmatch(r"-?\d+(\.\d+)?", value or ""):
        raise _unreadable(found.string)
    return Clause(field, key, found["operator"], value, found["negated"] is not None)


def _unreadable(query: str) -> ApiError:
    return ApiError(
        f'We were unable to parse your search query: {query[:200]}. Try using the format `metadata["key"]:"value"` '
        'to query for metadata or `key:"value"` to query for other fields.',
        param="query",
    )


def search_route(
    resource: Resource, path: str, fields: tuple[str, ...], places: Mapping[str, str] | None = None
) -> None:
    """Register GET on `path`/search; `fields` names the searchable fields, including `metadata`.

    `places` maps a search field to its path in the object where that differs, such as `details.subscription`.
    """
    accepts: Mapping[str, Spec] = {"query": Text(), "limit": Integer(1, 100), "page": Text()}

    @route("GET", f"{path}/search", accepts, required=("query",))
    def answer(call: Call) -> Body:
        clauses, is_all = parse(call["query"], fields)
        clauses = [replace(clause, field=(places or {}).get(clause.field, clause.field)) for clause in clauses]
        quantifier = all if is_all else any
        start, limit = _start(call.get("page")), call.get("limit", DEFAULT_LIMIT)
        possible = _possible(resource.kind, clauses, is_all=is_all)
        holding = (body for body in possible if quantifier(clause.holds(body) for clause in clauses))
        found = list(islice(holding, start, start + limit + 1))
        chosen, has_more = found[:limit], len(found) > limit
        return {
            "object": "search_result",
            "data": [presented(body) for body in chosen],
            "has_more": has_more,
            "next_page": str(start + limit) if has_more else None,
            "url": f"{path}/search",
        }


def _possible(kind: str, clauses: list[Clause], *, is_all: bool) -> Iterator[Body]:
    """The objects, newest first, without most of those whose text cannot match.

    SQLite searches ten thousand texts in the time in which Python decodes a few hundred.
    """
    rows = store.rows(kind).annotate(text=Cast("body", TextField())).order_by("-sequence")
    by_text = [clause for clause in clauses if clause.is_found_by_text]
    if is_all or len(by_text) == len(clauses):
        conditions = [Q(text__icontains=json.dumps(clause.value)[1:-1]) for clause in by_text]
        rows = rows.filter(reduce(operator.and_ if is_all else operator.or_, conditions, Q()))
    return rows.values_list("body", flat=True).iterator()


def _start(page: str | None) -> int:
    if page is None:
        return 0
    if not (page.isascii() and page.isdigit() and len(page) < 10):  # noqa: PLR2004 -- more than there can be
        raise ApiError(f"Invalid page: {page}", param="page")
    return int(page)
