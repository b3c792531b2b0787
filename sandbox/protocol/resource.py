"""The description of a kind of object for the protocol: its name, references and filters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import store
from sandbox.protocol import errors
from sandbox.store import Body


@dataclass(frozen=True)
class Resource:
    """A kind of object.

    `references` maps each field that holds ids to the kind it refers to; `computed` has the fields that exist only
    when expanded (a dotted name for one inside a plain hash); `filters` maps a list parameter to a column or, with the
    prefix `body__`, to a key of the JSON. `present` adds to a body what depends on other tables.
    """

    kind: str
    references: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Callable[[Body], Any]] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    present: Callable[[Body], Body] | None = None
    label: str = ""


_resources: dict[str, Resource] = {}


def register(resource: Resource) -> Resource:
    """Register a kind for expansion and presentation."""
    _resources[resource.kind] = resource
    return resource


def resource_of(kind: str) -> Resource | None:
    return _resources.get(kind)


def presented(body: Body) -> Body:
    """The body as clients see it."""
    resource = _resources.get(body.get("object", ""))
    shown = store.visible(body)
    return resource.present(shown) if resource and resource.present else shown


def fetch_from_url(resource: Resource, object_id: str, *, param: str = "id") -> Body:
    """The object whose id is in the URL. Raises Stripe's 404."""
    body = store.find(resource.kind, object_id)
    if body is None:
        raise errors.no_such(resource.label or resource.kind, object_id, param=param, in_url=True)
    return body


def fetch_from_parameter(kind: str, object_id: str, *, param: str) -> Body:
    """The object whose id is in a parameter; a deleted one counts as missing. Raises Stripe's 400."""
    body = store.find(kind, object_id)
    if body is None or body.get("deleted"):
        resource = _resources.get(kind)
        label = (resource.label if resource else "") or kind
        raise errors.no_such(label, object_id, param=param)
    return body
