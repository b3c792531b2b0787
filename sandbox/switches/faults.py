"""Faults of the API for the next few calls. Stored in the database, so that they survive a restart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from sandbox import levers, store

RATE_LIMIT, SERVER_ERROR, HANG, DROP_REPLY = "rate_limit", "server_error", "hang", "drop_reply"
KINDS = (RATE_LIMIT, SERVER_ERROR, HANG, DROP_REPLY)
LEVER = "faults"
MOST = 1_000_000
# The longest time that a fault may block a thread of the server.
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Fault:
    """A fault for the next `remaining` calls whose method and path match; `path` is a shell pattern."""

    kind: str
    method: str = "*"
    path: str = "/v1/*"
    remaining: int = 1
    seconds: float = 0.0

    def concerns(self, method: str, path: str) -> bool:
        """Whether the fault applies to a call."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)


def read_fault(params: Mapping[str, Any]) -> Fault:
    """Read a fault from `kind`, `method`, `path`, `count` and `seconds`. Raises ValueError if one is invalid."""
    if params.get("kind") not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    count, seconds = int(params.get("count", 1)), float(params.get("seconds", 0))
    if not (0 < count <= MOST and 0 <= seconds <= LONGEST_SECONDS):
        raise ValueError(f"count must be from 1 to {MOST}, seconds from 0 to {LONGEST_SECONDS}")
    method, path = str(params.get("method") or "*").upper(), str(params.get("path") or "/v1/*")
    return Fault(params["kind"], method, path, count, seconds)


def waiting() -> list[Fault]:
    """The faults that still apply, oldest first."""
    return [Fault(**fault) for fault in levers.read(LEVER) or ()]


def _keep(faults: list[Fault]) -> None:
    levers.write(LEVER, [asdict(fault) for fault in faults])


def add(fault: Fault) -> None:
    """Add a fault for the next matching calls."""
    with store.writing():
        _keep([*waiting(), fault])


def clear() -> None:
    """Remove all faults."""
    with store.writing():
        _keep([])


def listed() -> list[dict[str, Any]]:
    return [asdict(fault) for fault in waiting()]


def take(method: str, path: str) -> Fault | None:
    """The fault for this call, or None; reduces the fault's remaining calls."""
    # Checked without the lock first, because there is rarely a fault.
    if not any(fault.concerns(method, path) for fault in waiting()):
        return None
    with store.writing():
        faults = waiting()
        for place, fault in enumerate(faults):
            if fault.concerns(method, path):
                used = replace(fault, remaining=fault.remaining - 1)
                _keep([*faults[:place], *([used] if used.remaining > 0 else []), *faults[place + 1 :]])
                return fault
    return None
