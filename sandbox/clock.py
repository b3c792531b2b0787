"""The sandbox's time: the machine's time plus an offset that tests may move. Seconds since the epoch.

A step happens at the moment it was due, however late it runs: within `at`, that moment is the current time. Objects of
a test clock follow that clock: within `at_test_clock` its time applies, and the sandbox's own time is unchanged.
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
    """Seconds by which the sandbox is ahead of the machine. Cached, because one process serves one sandbox."""
    global _offset  # noqa: PLW0603 -- the cache of a value only this module writes
    if _offset is None:
        lever = Lever.objects.filter(name=OFFSET).first()
        _offset = float(lever.value) if lever else 0.0
    return _offset


def move_offset(seconds: float) -> None:
    """Set the seconds by which the sandbox is ahead of the machine; the offset survives restarts."""
    global _offset  # noqa: PLW0603
    Lever.objects.update_or_create(name=OFFSET, defaults={"value": seconds})
    _offset = seconds


@contextmanager
def at(moment: float) -> Iterator[None]:
    """Make `moment` the time within the block."""
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


@contextmanager
def at_test_clock(moment: float) -> Iterator[None]:
    """Make `moment` the time within the block for objects of a test clock."""
    token = _moment_of_test_clock.set(moment)
    try:
        yield
    finally:
        _moment_of_test_clock.reset(token)


def wall() -> float:
    """The sandbox's own time, unaffected by `at` and `at_test_clock`."""
    return time.time() + offset()


def own_now() -> float:
    """Now in the sandbox's own time, with fractions, unaffected by `at_test_clock`."""
    moment = _moment.get()
    return wall() if moment is None else moment


def precise_now() -> float:
    """Now, with fractions."""
    moment = _moment_of_test_clock.get()
    return own_now() if moment is None else moment


def now() -> int:
    """Now in whole seconds, as in Stripe's `created`."""
    return int(precise_now())
