"""What the protocol has to know about a kind of object: its name, its references, its filters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox import store
from sandbox.protocol import errors
from sandbox.store import Body


@dataclass(frozen=True)
class Resource:
    """A kind of object.

    `references` are fields that hold an id (or ids) of another kind; `computed` are fields that exist only
    when expanded (a dotted name for one inside a plain hash); `filters` map a list parameter to a column
    or, with the prefix `body__`, into the JSON. `present` finishes a body that depends on other tables.
    """

    kind: str
    references: Mapping[str, str] = field(default_factory=dict)
    computed: Mapping[str, Callable[[Body], Any]] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    present: Callable[[Body], Body] | None = None
    label: str = ""


_resources: dict[str, Resource] = {}


def register(resource: Resource) -> Resource:
    """Make a kind known to expansion and presentation."""
    _resources[resource.kind] = resource
    return resource


def resource_of(kind: str) -> Resource | None:
    return _resources.get(kind)


def presented(body: Body) -> Body:
    """The body as the outside sees it."""
    resource = _resources.get(body.get("object", ""))
    shown = store.visible(body)
    return resource.present(shown) if resource and resource.present else shown


def fetch_from_url(resource: Resource, object_id: str, *, param: str = "id") -> Body:
    """The object an address names. Raises the 404 Stripe gives."""
    body = store.find(resource.kind, object_id)
    if body is None:
        raise errors.no_such(resource.label or resource.kind, object_id, param=param, in_url=True)
    return body


def fetch_from_parameter(kind: str, object_id: str, *, param: str) -> Body:
    """The object a parameter names; a deleted one counts as missing. Raises the 400 Stripe gives."""
    body = store.find(kind, object_id)
    if body is None or body.get("deleted"):
        resource = _resources.get(kind)
        label = (resource.label if resource else "") or kind
        raise errors.no_such(label, object_id, param=param)
    return body
