"""The sandbox's time: the machine's time plus an offset that tests may move. Seconds since the epoch."""

import time

from sandbox.models import Lever

OFFSET = "clock_offset"
_offset: float | None = None


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


def precise_now() -> float:
    """Now, with fractions, for scheduling."""
    return time.time() + offset()


def now() -> int:
    """Now, as Stripe writes it into `created`."""
    return int(precise_now())
