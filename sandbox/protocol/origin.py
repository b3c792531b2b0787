"""The API request that caused the current work; events report it (docs: "Event object", `request`)."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sandbox import identifiers


@dataclass(frozen=True)
class Origin:
    request_id: str | None = None
    idempotency_key: str | None = None


NO_REQUEST = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NO_REQUEST)


def current() -> Origin:
    return _origin.get()


def begin(idempotency_key: str | None = None) -> Origin:
    """Start a new request and return its ids."""
    origin = Origin(identifiers.new_id("req_", 14), idempotency_key)
    _origin.set(origin)
    return origin


@contextmanager
def no_request() -> Iterator[None]:
    """Work within the block was caused by no request; the thread may still hold the request it handled last."""
    token = _origin.set(NO_REQUEST)
    try:
        yield
    finally:
        _origin.reset(token)
