"""One hash of the whole books, the same wherever and whenever they were written."""

from __future__ import annotations

import json
from hashlib import sha256

from django.db import DEFAULT_DB_ALIAS, connections, transaction

# By natural keys only: a rebuilt or restored ledger has other primary keys and other moments of recording.
_JOURNALS = """
SELECT journal.source, journal.kind, journal.subject, reversed.source, {moment}, posted.amounts
  FROM ledger_journal AS journal LEFT JOIN ledger_journal AS reversed ON reversed.id = journal.reverses_id
 CROSS JOIN LATERAL (
       SELECT json_agg(json_build_array(account.kind, coalesce(teacher.slug, ''), account.currency, posting.amount_minor)
              ORDER BY account.kind COLLATE "C", teacher.slug COLLATE "C", account.currency COLLATE "C")::text AS amounts
         FROM ledger_posting AS posting JOIN ledger_account AS account ON account.id = posting.account_id
         LEFT JOIN accounts_teacher AS teacher ON teacher.id = account.teacher_id
        WHERE posting.journal_id = journal.id) AS posted
 ORDER BY journal.source COLLATE "C"
"""
_MOMENT = "to_char(journal.effective_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"


def hash_of_books(*, using: str = DEFAULT_DB_ALIAS, with_moments: bool = False) -> str:
    """SHA-256, in hexadecimal, over all journals with their postings in the order of their sources.

    It covers source, kind, subject, what is reversed, and each amount by account kind, teacher's slug and currency;
    `with_moments` adds the moment of effect. Reads in constant memory.
    """
    digest = sha256()
    statement = _JOURNALS.format(moment=_MOMENT if with_moments else "NULL")
    connection = connections[using]
    with transaction.atomic(using=using), connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        for row in cursor:
            digest.update(json.dumps(row, ensure_ascii=False).encode())
            digest.update(b"\n")
    return digest.hexdigest()
