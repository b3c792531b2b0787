"""expand[]: replace ids with the objects they refer to, up to four levels deep (docs: "Expanding objects")."""

from dataclasses import dataclass
from typing import Any

from sandbox import store
from sandbox.protocol.errors import ApiError
from sandbox.protocol.resource import Resource, presented, resource_of
from sandbox.store import Body

MAX_DEPTH = 4


@dataclass(frozen=True)
class _Place:
    """A position in an object: the object, and the path from it to an inner hash, such as `parent.details.`."""

    body: Body
    prefix: str = ""

    @property
    def resource(self) -> Resource | None:
        return resource_of(str(self.body.get("object", "")))

    def inner(self, head: str) -> "_Place":
        return _Place(self.body, f"{self.prefix}{head}.")

    def has_expandable_inside(self, name: str) -> bool:
        """Whether a field inside `name` can be expanded."""
        resource = self.resource
        known = (*resource.references, *resource.computed) if resource else ()
        return any(key.startswith(f"{name}.") for key in known)

    def computes_in(self, name: str) -> bool:
        """Whether a field inside `name` is computed on expansion; `name` itself may still be absent."""
        computed = self.resource.computed if self.resource else ()
        return any(key.startswith(f"{name}.") for key in computed)


def expand(body: Body, paths: list[str]) -> Body:
    """The body with every path expanded. Raises Stripe's 400 for a path that cannot be expanded."""
    for path in paths:
        segments = path.split(".")
        if len(segments) > MAX_DEPTH:
            raise ApiError(
                f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}",
                code="property_expansion_max_depth",
                param="expand",
            )
        _expand(body, segments, path, _Place(body))
    return body


def _expand(node: Any, segments: list[str], path: str, place: _Place) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(item, segments, path, place)
    elif segments and isinstance(node, dict):
        _expand_hash(node, segments, path, _Place(node) if "object" in node else place)


def _expand_hash(node: Body, segments: list[str], path: str, place: _Place) -> None:
    head, rest = segments[0], segments[1:]
    name, resource = place.prefix + head, place.resource
    if resource and name in resource.computed:
        if not isinstance(node.get(head), dict | list):
            node[head] = resource.computed[name](place.body)
    elif resource and name in resource.references:
        node[head] = _replaced(node.get(head), resource, name)
    elif place.has_expandable_inside(name) and rest:
        if node.get(head) is None and place.computes_in(name):
            node[head] = {}
    elif not isinstance(node.get(head), dict | list) and not node.get("deleted"):
        raise ApiError(
            f"This property cannot be expanded ({head}). You may want to try expanding a different property. "
            f"Property: {path}",
            param="expand",
        )
    _expand(node.get(head), rest, path, place.inner(head))


def _replaced(value: Any, resource: Resource, name: str) -> Any:
    if isinstance(value, list):
        return [_replaced(item, resource, name) for item in value]
    if not isinstance(value, str):
        return value
    # The referenced object may belong to another account, such as a transfer's payment. The platform sees both sides.
    found = store.find_anywhere(resource.references[name], value)
    return presented(found) if found else value
