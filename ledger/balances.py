"""Balances: what is on an account, now or at any moment. Read from checkpoints and the postings since."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

from ledger.chart import CHART, check_account
from ledger.entries import AccountKey, AccountKind
from money import Money

_ONE = """
SELECT ledger_balance(id, %s, %s) FROM ledger_account
 WHERE kind = %s AND coalesce(teacher_id, 0) = %s AND currency = %s
"""
_OF_TEACHER = """
SELECT kind, currency, ledger_balance(id, %s, %s) FROM ledger_account WHERE teacher_id = %s ORDER BY currency, kind
"""


def balance_of(
    kind: AccountKind,
    currency: str,
    *,
    teacher_id: int | None = None,
    recorded_at: datetime | None = None,
    effective_at: datetime | None = None,
) -> Money:
    """What is on an account, positive on its normal side: a teacher who is owed 90 has +90, one in debt less than zero.

    `recorded_at` gives the balance as the books showed it at that moment; `effective_at` counts only what had happened
    by then. Raises AccountDoesNotFit.
    """
    check_account(AccountKey(kind, teacher_id, currency))
    with connection.cursor() as cursor:
        cursor.execute(_ONE, [recorded_at, effective_at, str(kind), teacher_id or 0, currency])
        found = cursor.fetchone()
    return CHART[kind].as_read(found[0] if found else 0, currency)


def balances_of_teacher(
    teacher_id: int, *, recorded_at: datetime | None = None, effective_at: datetime | None = None
) -> Mapping[tuple[AccountKind, str], Money]:
    """All balances of a teacher by kind and currency, as `balance_of` gives them; accounts not yet opened are missing."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_TEACHER, [recorded_at, effective_at, teacher_id])
        found = cursor.fetchall()
    return {
        (AccountKind(kind), currency): CHART[AccountKind(kind)].as_read(minor, currency)
        for kind, currency, minor in found
    }
