"""Read Retry-After: how long a server asks us to wait (RFC 9110, section 10.2.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# A server that asks for a year has made a mistake.
LONGEST = timedelta(hours=24)
_SECONDS = re.compile(r"[0-9]{1,12}\Z", re.ASCII)


def read_retry_after(value: str, *, now: datetime) -> timedelta | None:
    """How long to wait, at most `LONGEST`; None if the header is absent, cannot be read or lies in the past."""
    text = value.strip()
    if _SECONDS.match(text):
        wait = timedelta(seconds=min(int(text), int(LONGEST.total_seconds())))
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        # A date without a zone is in UTC: all HTTP dates are.
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    return min(wait, LONGEST) if wait > timedelta(0) else None
