"""Delivery modes: how deliveries misbehave on request. Stored in the database, so that they survive a restart."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sandbox import levers, store

NORMAL, DROP, HOLD, DELAY, DUPLICATE, SHUFFLE = "normal", "drop", "hold", "delay", "duplicate", "shuffle"
WRONG_SIGNATURE, OLD_TIMESTAMP = "wrong_signature", "old_timestamp"
MODES = (NORMAL, DROP, HOLD, DELAY, DUPLICATE, SHUFFLE, WRONG_SIGNATURE, OLD_TIMESTAMP)
LEVER = "delivery_mode"
LONGEST_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Mode:
    """`types` limits it to some event types, `remaining` to the next few events; `seconds` is for delay and shuffle."""

    name: str = NORMAL
    types: tuple[str, ...] = ()
    seconds: float = 1.0
    remaining: int | None = None

    def concerns(self, event_type: str) -> bool:
        """Whether the mode applies to events of this type."""
        return not self.types or event_type in self.types

    def extra_delay(self) -> float:
        """Seconds a delivery waits before its first attempt."""
        if self.name == DELAY:
            return self.seconds
        return random.uniform(0, self.seconds) if self.name == SHUFFLE else 0.0  # noqa: S311 -- an order, no secret


def read_mode(options: Mapping[str, Any]) -> Mode:
    """Read a mode from `mode`, `types`, `seconds` and `count`. Raises ValueError if one is invalid."""
    if options.get("mode") not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}")
    types = options.get("types") or ()
    if isinstance(types, str) or not all(isinstance(name, str) for name in types):
        raise ValueError("types must be a list of types of events")
    count, seconds = options.get("count"), float(options.get("seconds", 1))
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"seconds must be from 0 to {LONGEST_SECONDS}")
    return Mode(options["mode"], tuple(types), seconds, None if count is None else max(0, int(count)))


def current() -> Mode:
    """The mode chosen last."""
    value = levers.read(LEVER)
    return Mode(**value | {"types": tuple(value["types"])}) if value else Mode()


def choose(mode: Mode) -> None:
    """Use this mode from now on."""
    with store.writing():
        _keep(mode)


def _keep(mode: Mode) -> None:
    levers.write(LEVER, asdict(mode))


def described() -> dict[str, Any]:
    return asdict(current())


def mode_for(event_type: str) -> Mode:
    """The mode for a new event of this type; counts the event, in the transaction that writes it."""
    mode = current()
    if mode.name == NORMAL or not mode.concerns(event_type) or mode.remaining == 0:
        return Mode()
    if mode.remaining is not None:
        _keep(Mode(mode.name, mode.types, mode.seconds, mode.remaining - 1))
    return mode
