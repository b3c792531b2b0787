"""Faults of the API itself, for the next few calls. Kept in memory: a restart is a clean slate."""

import threading
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

RATE_LIMIT, SERVER_ERROR, HANG, DROP_REPLY = "rate_limit", "server_error", "hang", "drop_reply"
KINDS = (RATE_LIMIT, SERVER_ERROR, HANG, DROP_REPLY)
_guard = threading.Lock()


@dataclass
class Fault:
    """What to do to the next `remaining` calls whose method and path match; `path` is a shell pattern."""

    kind: str
    method: str = "*"
    path: str = "/v1/*"
    remaining: int = 1
    seconds: float = 0.0


_faults: list[Fault] = []


def add(fault: Fault) -> None:
    with _guard:
        _faults.append(fault)


def clear() -> None:
    with _guard:
        _faults.clear()


def listed() -> list[dict[str, Any]]:
    with _guard:
        return [asdict(fault) for fault in _faults]


def take(method: str, path: str) -> Fault | None:
    """The fault this call has to suffer, used up by it."""
    if not _faults:
        return None
    with _guard:
        for fault in _faults:
            if fault.method in ("*", method) and fnmatchcase(path, fault.path):
                fault.remaining -= 1
                if fault.remaining <= 0:
                    _faults.remove(fault)
                return fault
    return None
