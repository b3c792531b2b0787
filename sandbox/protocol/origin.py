"""Which API request the current work belongs to: events carry it (docs: "Event object", `request`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sandbox import identifiers


@dataclass(frozen=True)
class Origin:
    request_id: str | None = None
    idempotency_key: str | None = None


NOBODY = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOBODY)


def current() -> Origin:
    return _origin.get()


def begin(idempotency_key: str | None = None) -> Origin:
    """Start a new request; returns its identity."""
    origin = Origin(identifiers.new_id("req_", 14), idempotency_key)
    _origin.set(origin)
    return origin


@contextmanager
def nobody() -> Iterator[None]:
    """No request caused what happens meanwhile, whichever this thread answered last."""
    token = _origin.set(NOBODY)
    try:
        yield
    finally:
        _origin.reset(token)
