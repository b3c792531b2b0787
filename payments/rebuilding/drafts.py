"""A journal as it is derived, before it is written anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ledger.entries import Entry, JournalKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a journal says. One whose entries cancel out is never written.

    `is_copied` says that it is not derived: what it follows from was not kept, so it is as the ledger has it.
    """

    source: str
    kind: JournalKind
    subject: str
    entries: Sequence[Entry]
    effective_at: datetime | None = None
    is_copied: bool = False
