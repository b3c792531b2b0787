"""The table from method and path to a handler, and the call that a handler receives."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sandbox.protocol.parameters import Hash, ListOf, Spec, Text
from sandbox.store import Body


@dataclass(frozen=True)
class Call:
    """One authenticated API call with its parameters read."""

    params: dict[str, Any]
    ids: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.params[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or the default when it was not sent."""
        return self.params.get(name, default)


Handler: TypeAlias = Callable[[Call], Body]


@dataclass(frozen=True)
class Route:
    method: str
    segments: tuple[str, ...]
    accepts: Hash
    handler: Handler


# By method, number of segments, and the first two segments, which are never ids.
_routes: dict[tuple[str, int, str], list[Route]] = {}


def route(
    method: str, path: str, accepts: Mapping[str, Spec] | None = None, required: tuple[str, ...] = ()
) -> Callable[[Handler], Handler]:
    """Register the decorated function for `method path`. `:name` in the path is an id; `expand` is always accepted.

    `required` names parameters that are required in addition to those of the published types.
    """
    segments = tuple(path.strip("/").split("/"))
    required = (*getattr(accepts, "required", ()), *required)
    fields: dict[str, Spec] = {**(accepts or {}), "expand": ListOf(Text())}

    def register(handler: Handler) -> Handler:
        entry = Route(method, segments, Hash(fields, required), handler)
        _routes.setdefault(_key(method, segments), []).append(entry)
        return handler

    return register


def _key(method: str, segments: Sequence[str]) -> tuple[str, int, str]:
    return method, len(segments), "/".join(segments[:2])


def match(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route for a path and the ids in it, or None; the route with the fewest ids is preferred."""
    segments = path.strip("/").split("/")
    best: tuple[Route, dict[str, str]] | None = None
    for candidate in _routes.get(_key(method, segments), ()):
        ids: dict[str, str] = {}
        for expected, actual in zip(candidate.segments, segments, strict=True):
            if expected.startswith(":"):
                ids[expected[1:]] = actual
            elif expected != actual:
                break
        else:
            if best is None or len(ids) < len(best[1]):
                best = (candidate, ids)
    return best
