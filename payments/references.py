"""Read the references of domains whose things have numbers."""

from __future__ import annotations

import re

# As PostgreSQL writes an id that fits a bigint, so "010", and digits of other scripts, do not name what "10" does.
_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def read_id(reference: str) -> int | None:
    """The id a reference spells; None for anything that is no id, or another spelling of one."""
    return int(reference) if _ID.fullmatch(reference) else None
