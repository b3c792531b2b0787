"""Opens accounts when they are first needed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import connection

from ledger.chart import OF_PLATFORM, PER_TEACHER, check_account
from ledger.entries import AccountKey

_OPEN = """
INSERT INTO ledger_account (kind, teacher_id, currency)
SELECT wanted.kind, nullif(wanted.teacher, 0), wanted.currency
  FROM unnest(%s::text[], %s::bigint[], %s::text[]) AS wanted (kind, teacher, currency)
 WHERE NOT EXISTS (
       SELECT FROM ledger_account AS account
        WHERE account.kind = wanted.kind AND coalesce(account.teacher_id, 0) = wanted.teacher
          AND account.currency = wanted.currency)
 ORDER BY wanted.currency, wanted.teacher, wanted.kind
ON CONFLICT DO NOTHING
"""


def open_accounts(keys: Collection[AccountKey]) -> None:
    """Open those that are missing. Raises AccountDoesNotFit.

    All accounts of the platform in a currency are opened together, and all of a teacher: two transactions that each
    opened a few, one after the other, could wait for each other.
    """
    for key in keys:
        check_account(key)
    currencies = {key.currency for key in keys}
    teachers = {(key.teacher_id, key.currency) for key in keys if key.teacher_id is not None}
    wanted = [AccountKey(kind, None, currency) for currency in currencies for kind in OF_PLATFORM]
    wanted += [AccountKey(kind, teacher, currency) for teacher, currency in teachers for kind in PER_TEACHER]
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, columns_of(wanted))


def columns_of(keys: Collection[AccountKey]) -> list[list[Any]]:
    """Keys as three arrays for `unnest`: kinds, teachers (zero for none), currencies."""
    return [
        [key.kind.value for key in keys],
        [key.teacher_id or 0 for key in keys],
        [key.currency for key in keys],
    ]
