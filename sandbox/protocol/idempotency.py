"""Idempotency-Key: the first response is stored and replayed (docs: "Idempotent requests")."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import clock, store
from sandbox.models import IdempotentAnswer
from sandbox.protocol.errors import ApiError

RETENTION_SECONDS = 24 * 3600
MAX_LENGTH = 255
# Only this process serves the sandbox, so calls in flight need not be recorded in the database.
_in_flight: set[tuple[str, str]] = set()
_guard = threading.Lock()


def fingerprint(params: Any) -> str:
    """A digest of the decoded parameters, independent of their order."""
    return hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode()).hexdigest()


@contextmanager
def reserved(key: str) -> Iterator[None]:
    """Hold the key while a call runs. Raises 409 if another call holds it, 400 if it is too long."""
    if len(key) > MAX_LENGTH:
        raise ApiError("Idempotency key can't be longer than 255 characters.", kind="idempotency_error")
    entry = (store.acting_account(), key)
    with _guard:
        if entry in _in_flight:
            raise ApiError(
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                "submitted twice, and the other request is still going through): "
                f"{key}. Please try again later.",
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            )
        _in_flight.add(entry)
    try:
        yield
    finally:
        with _guard:
            _in_flight.discard(entry)


def earlier_answer(key: str, *, path: str, params_fingerprint: str) -> IdempotentAnswer | None:
    """The stored response, or None. Raises an idempotency_error if the key was used with another path or parameters."""
    earlier = IdempotentAnswer.objects.filter(
        account=store.acting_account(), key=key, created__gt=clock.now() - RETENTION_SECONDS
    ).first()
    if earlier is None:
        return None
    if earlier.path != path:
        raise ApiError(
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{earlier.path}'). Try using a key other than '{key}' if you meant to execute a "
            "different request.",
            kind="idempotency_error",
        )
    if earlier.fingerprint != params_fingerprint:
        raise ApiError(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            kind="idempotency_error",
        )
    return earlier


def remember(  # noqa: PLR0913 -- one row, spelled out
    key: str, *, path: str, params_fingerprint: str, status: int, answer: str, request_id: str
) -> None:
    """Store a response for the retention time; it replaces an expired one."""
    IdempotentAnswer.objects.update_or_create(
        account=store.acting_account(),
        key=key,
        defaults={
            "path": path,
            "fingerprint": params_fingerprint,
            "status": status,
            "answer": answer,
            "request_id": request_id,
            "created": clock.now(),
        },
    )


def delete_expired() -> None:
    """Delete responses older than the retention time."""
    IdempotentAnswer.objects.filter(created__lte=clock.now() - RETENTION_SECONDS).delete()
