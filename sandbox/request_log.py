"""What was asked and answered lately: for the dashboard, and for tests that hold every answer against its type.

The last few hundred stay in memory; with SANDBOX_LOG_FILE everything is also appended there, a line of JSON each.
"""

import json
import threading
from collections import deque
from dataclasses import asdict, dataclass

from sandbox.options import options
from sandbox.store import Body

KEPT = 500
_guard = threading.Lock()
_entries: "deque[Entry]" = deque(maxlen=KEPT)


@dataclass(frozen=True)
class Entry:
    """One API request and its answer; `at` is in seconds of the sandbox's clock."""

    request_id: str
    method: str
    path: str
    account: str
    status: int
    asked: str
    answer: str
    at: int


def note_request(entry: Entry) -> None:
    """Remember one answered request."""
    with _guard:
        _entries.append(entry)
    _append({"request": asdict(entry)})


def note_event(event: Body) -> None:
    """Remember an event in the file, if there is one; the dashboard reads events from the store."""
    _append({"event": event})


def latest() -> list[Entry]:
    """What is remembered, newest first."""
    with _guard:
        return list(reversed(_entries))


def find(request_id: str) -> Entry | None:
    """One request by its id, while it is remembered."""
    return next((found for found in latest() if found.request_id == request_id), None)


def forget() -> None:
    """Empty the memory, as a reset does; the file stays."""
    with _guard:
        _entries.clear()


def _append(record: Body) -> None:
    file = options().log_file
    if file is not None:
        line = json.dumps(record)
        with _guard, file.open("a") as lines:
            lines.write(line + "\n")
