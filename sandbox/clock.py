"""The sandbox's time: the machine's time plus an offset that tests may move. Seconds since the epoch.

A step that was due at some moment happens at that moment, however late it is run, and objects of a test clock live in
that clock's time: `at` says so for as long as it lasts.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sandbox.models import Lever

OFFSET = "clock_offset"
_offset: float | None = None
_moment: ContextVar[float | None] = ContextVar("moment", default=None)


def offset() -> float:
    """Seconds the sandbox is ahead of the machine. Cached: one process serves one sandbox."""
    global _offset  # noqa: PLW0603 -- the cache of a value only this module writes
    if _offset is None:
        lever = Lever.objects.filter(name=OFFSET).first()
        _offset = float(lever.value) if lever else 0.0
    return _offset


def move_offset(seconds: float) -> None:
    """Set how far the sandbox is ahead of the machine, and remember it across restarts."""
    global _offset  # noqa: PLW0603
    Lever.objects.update_or_create(name=OFFSET, defaults={"value": seconds})
    _offset = seconds


@contextmanager
def at(moment: float) -> Iterator[None]:
    """Let it be `moment` for a while."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def wall() -> float:
    """The sandbox's own time, whatever moment is being acted out."""
    return time.time() + offset()


def precise_now() -> float:
    """Now, with fractions, for scheduling."""
    moment = _moment.get()
    return wall() if moment is None else moment


def now() -> int:
    """Now, as Stripe writes it into `created`."""
    return int(precise_now())
