"""The sandbox's time: the machine's time plus an offset that tests may move. Seconds since the epoch.

A step that was due at some moment happens at that moment, however late it is run: `at` says so for as long as it lasts.
Objects of a test clock live in that clock's time: `at_test_clock` says so, and leaves the sandbox's own time alone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sandbox.models import Lever

OFFSET = "clock_offset"
_offset: float | None = None
_moment: ContextVar[float | None] = ContextVar("moment", default=None)
_moment_of_test_clock: ContextVar[float | None] = ContextVar("moment_of_test_clock", default=None)


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


@contextmanager
def at_test_clock(moment: float) -> Iterator[None]:
    """Let it be `moment` for what belongs to a test clock."""
    token = _moment_of_test_clock.set(moment)
    try:
        yield
    finally:
        _moment_of_test_clock.reset(token)


def wall() -> float:
    """The sandbox's own time, whatever moment is being acted out."""
    return time.time() + offset()


def own_now() -> float:
    """Now in the sandbox's own time, with fractions, also while a test clock's time is being acted out."""
    moment = _moment.get()
    return wall() if moment is None else moment


def precise_now() -> float:
    """Now, with fractions."""
    moment = _moment_of_test_clock.get()
    return own_now() if moment is None else moment


def now() -> int:
    """Now, as Stripe writes it into `created`."""
    return int(precise_now())
