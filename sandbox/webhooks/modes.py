"""How deliveries misbehave on request. Kept in memory: a restart behaves."""

import random
import threading
from dataclasses import asdict, dataclass
from typing import Any

NORMAL, DROP, HOLD, DELAY, DUPLICATE, SHUFFLE = "normal", "drop", "hold", "delay", "duplicate", "shuffle"
WRONG_SIGNATURE, OLD_TIMESTAMP = "wrong_signature", "old_timestamp"
MODES = (NORMAL, DROP, HOLD, DELAY, DUPLICATE, SHUFFLE, WRONG_SIGNATURE, OLD_TIMESTAMP)
_guard = threading.Lock()


@dataclass
class Mode:
    """`types` narrows it to some event types, `remaining` to the next few events; `seconds` is for delay, shuffle."""

    name: str = NORMAL
    types: tuple[str, ...] = ()
    seconds: float = 1.0
    remaining: int | None = None


_mode = Mode()


def choose(mode: Mode) -> None:
    global _mode  # noqa: PLW0603 -- the one switch this module is
    with _guard:
        _mode = mode


def described() -> dict[str, Any]:
    return asdict(_mode)


def mode_for(event_type: str) -> str:
    """The mode this event is treated by; counts it."""
    with _guard:
        if _mode.name == NORMAL or (_mode.types and event_type not in _mode.types):
            return NORMAL
        if _mode.remaining is not None:
            if _mode.remaining <= 0:
                return NORMAL
            _mode.remaining -= 1
        return _mode.name


def signing_mode() -> str:
    """The mode as far as it concerns signatures, which are made at each attempt."""
    return _mode.name


def extra_delay(name: str) -> float:
    """Seconds a delivery in this mode waits before its first attempt."""
    if name == DELAY:
        return _mode.seconds
    return random.uniform(0, _mode.seconds) if name == SHUFFLE else 0.0  # noqa: S311 -- an order, not a secret
