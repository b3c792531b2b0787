"""Statements of a teacher's accounts in one currency: opening balances, every movement, closing balances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection

from ledger.chart import CHART, PER_TEACHER
from ledger.entries import AccountKind
from ledger.models import Posting
from money import Money

# PostgreSQL's moments have no finer step.
_STEP = timedelta(microseconds=1)
_ROWS_AT_ONCE = 2000
_OPENING = """
SELECT kind, ledger_balance(id, NULL, %s) FROM ledger_account WHERE teacher_id = %s AND currency = %s
"""


@dataclass(frozen=True, slots=True)
class Movement:
    """One journal, with what it changed on the teacher's accounts. Positive is more for the teacher."""

    effective_at: datetime
    kind: str
    source: str
    subject: str
    description: str
    changes: Mapping[AccountKind, Money]

    @property
    def total(self) -> Money:
        """The change of all accounts together: zero if money only moved between them."""
        first, *others = self.changes.values()
        return sum(others, start=first)


@dataclass(slots=True)
class Statement:
    """A teacher's accounts in one currency, of what took effect from `since` until before `until`.

    `movements()` streams them in order. `closing` is complete once they are exhausted: opening plus every movement, so
    the figures add up even if another journal is recorded meanwhile.
    """

    teacher_id: int
    currency: str
    since: datetime
    until: datetime
    opening: Mapping[AccountKind, Money]
    closing: dict[AccountKind, Money] = field(init=False)

    def __post_init__(self) -> None:
        self.closing = dict(self.opening)

    def movements(self) -> Iterator[Movement]:
        """Each journal that changed one of the accounts, by moment of effect. Reads in constant memory."""
        self.closing = dict(self.opening)
        for _, postings in groupby(self._postings(), key=lambda posting: posting.journal_id):
            movement = _as_movement(list(postings), self.currency)
            for kind, change in movement.changes.items():
                self.closing[kind] += change
            yield movement

    def _postings(self) -> Iterator[Posting]:
        return (
            Posting.objects.filter(
                account__teacher_id=self.teacher_id,
                account__currency=self.currency,
                effective_at__gte=self.since,
                effective_at__lt=self.until,
            )
            .select_related("journal", "account")
            .order_by("effective_at", "journal_id", "pk")
            .iterator(chunk_size=_ROWS_AT_ONCE)
        )


def statement_of(teacher_id: int, currency: str, *, since: datetime, until: datetime) -> Statement:
    """The statement of a teacher's accounts over what took effect from `since` until before `until`."""
    with connection.cursor() as cursor:
        cursor.execute(_OPENING, [since - _STEP, teacher_id, currency])
        found = dict(cursor.fetchall())
    opening = {kind: CHART[kind].as_read(found.get(kind.value, 0), currency) for kind in PER_TEACHER}
    return Statement(teacher_id=teacher_id, currency=currency, since=since, until=until, opening=opening)


def _as_movement(postings: list[Posting], currency: str) -> Movement:
    journal = postings[0].journal
    kinds = [(AccountKind(posting.account.kind), posting.amount_minor) for posting in postings]
    return Movement(
        effective_at=journal.effective_at,
        kind=journal.kind,
        source=journal.source,
        subject=journal.subject,
        description=journal.description,
        changes={kind: CHART[kind].as_read(minor, currency) for kind, minor in kinds},
    )
