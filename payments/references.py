"""Read the references of domains whose items are identified by number."""

from __future__ import annotations

import re

# As PostgreSQL writes an id that fits a bigint: "010" or digits of other scripts must not name the same item as "10".
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def read_id(reference: str) -> int | None:
    """The id in a reference; None for anything else, including other spellings of an id."""
    return int(reference) if _ID.fullmatch(reference) else None
