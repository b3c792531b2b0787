"""expand[]: ids replaced by what they name, up to four levels (docs: "Expanding objects")."""

from typing import Any

from sandbox import store
from sandbox.protocol.errors import ApiError
from sandbox.protocol.resource import Resource, presented, resource_of
from sandbox.store import Body

MAX_DEPTH = 4


def expand(body: Body, paths: list[str]) -> Body:
    """The body with every path expanded. Raises the 400 Stripe gives for what cannot be."""
    for path in paths:
        segments = path.split(".")
        if len(segments) > MAX_DEPTH:
            raise ApiError(
                f"You cannot expand more than {MAX_DEPTH} levels of a property. Property: {path}",
                code="property_expansion_max_depth",
                param="expand",
            )
        _expand(body, segments, path)
    return body


def _expand(node: Any, segments: list[str], path: str) -> None:
    if isinstance(node, list):
        for item in node:
            _expand(item, segments, path)
        return
    if not segments or not isinstance(node, dict):
        return
    head, rest = segments[0], segments[1:]
    resource = resource_of(node.get("object", ""))
    if resource and rest and f"{head}.{rest[0]}" in resource.computed:
        inner = node.setdefault(head, {})
        inner[rest[0]] = resource.computed[f"{head}.{rest[0]}"](node)
        return
    if resource and rest and f"{head}.{rest[0]}" in resource.references:
        inner = node.get(head) or {}
        inner[rest[0]] = _replaced(inner.get(rest[0]), resource, f"{head}.{rest[0]}")
        _expand(inner[rest[0]], rest[1:], path)
        return
    if resource and head in resource.computed:
        if not isinstance(node.get(head), dict | list):
            node[head] = resource.computed[head](node)
    elif resource and head in resource.references:
        node[head] = _replaced(node.get(head), resource, head)
    elif not isinstance(node.get(head), dict | list) and not node.get("deleted"):
        raise ApiError(
            f"This property cannot be expanded ({head}). You may want to try expanding a different property. "
            f"Property: {path}",
            param="expand",
        )
    _expand(node.get(head), rest, path)


def _replaced(value: Any, resource: Resource, name: str) -> Any:
    if isinstance(value, list):
        return [_replaced(item, resource, name) for item in value]
    if not isinstance(value, str):
        return value
    found = store.find(resource.references[name], value)
    return presented(found) if found else value
