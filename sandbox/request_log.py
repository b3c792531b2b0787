"""The latest requests and responses, for the dashboard and for tests that check every response against its type.

The last few hundred stay in memory; with SANDBOX_LOG_FILE all of them are also appended there, one line of JSON each.
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
    """One API request and its response; `at` is in seconds of the sandbox's clock."""

    request_id: str
    method: str
    path: str
    account: str
    status: int
    parameters: str
    answer: str
    at: int


def note_request(entry: Entry) -> None:
    """Log one request with its response."""
    with _guard:
        _entries.append(entry)
    _append({"request": asdict(entry)})


def note_event(event: Body) -> None:
    """Log an event to the file, if there is one; the dashboard reads events from the store."""
    _append({"event": event})


def latest() -> list[Entry]:
    """The requests in memory, newest first."""
    with _guard:
        return list(reversed(_entries))


def find(request_id: str) -> Entry | None:
    """A request by its id, or None if it is no longer in memory."""
    return next((found for found in latest() if found.request_id == request_id), None)


def clear() -> None:
    """Clear the requests in memory, as a reset does; the file is unchanged."""
    with _guard:
        _entries.clear()


def _append(record: Body) -> None:
    file = options().log_file
    if file is not None:
        line = json.dumps(record)
        with _guard, file.open("a") as lines:
            lines.write(line + "\n")
