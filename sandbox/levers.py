"""Switches that survive a restart: stored in the database, and cached because every event and call reads them."""

import threading
from typing import Any

from django.db import transaction

from sandbox.models import Lever

_guard = threading.Lock()
_known: dict[str, Any] = {}
# The number of writes of each lever. A value read during a write is not cached.
_writes: dict[str, int] = {}
_being_written: set[str] = set()


def read(name: str) -> Any:
    """The value of a lever, or None."""
    with _guard:
        if name in _known:
            return _known[name]
        writes = _writes.get(name, 0)
    value = Lever.objects.filter(name=name).values_list("value", flat=True).first()
    with _guard:
        if name not in _being_written and _writes.get(name, 0) == writes:
            _known[name] = value
    return value


def write(name: str, value: Any) -> None:
    """Set a lever in the caller's transaction; until that is committed, all threads read the database."""
    with _guard:
        _known.pop(name, None)
        _being_written.add(name)
        _writes[name] = _writes.get(name, 0) + 1
    Lever.objects.update_or_create(name=name, defaults={"value": value})
    transaction.on_commit(lambda: _finish(name))


def _finish(name: str) -> None:
    with _guard:
        _being_written.discard(name)
        _writes[name] += 1
