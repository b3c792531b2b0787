"""Write derived journals into a second ledger, a schema of the same database, and compare it with the first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction

from ledger.hashing import hash_of_books
from ledger.journals import record_journal
from payments.rebuilding.drafts import Draft

_TABLES = ("ledger_account", "ledger_journal", "ledger_posting")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_TAKEN = ("public", "information_schema")
_SHOWN_AT_MOST = 50


class SchemaNotUsable(Exception):
    """The name is none for a schema, or something is in it already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both hashes, and the sources of journals that only one ledger has or that differ; the first of each."""

    first_hash: str
    second_hash: str
    only_first: list[str]
    only_second: list[str]
    different: list[str]

    @property
    def is_equal(self) -> bool:
        return self.first_hash == self.second_hash


def create_second_books(name: str) -> None:
    """Create an empty ledger in the schema `name`, with all its rules. Raises SchemaNotUsable."""
    if not _NAME.match(name) or name in _TAKEN or name.startswith("pg_"):
        raise SchemaNotUsable(f"{name!r} is no name for the schema: small letters, digits and _, at most 40.")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)", [name])
        if cursor.fetchone()[0]:
            raise SchemaNotUsable(f"The schema {name} exists. Drop it first, or choose another name.")
        cursor.execute(f"CREATE SCHEMA {name}")
        for table in _TABLES:
            cursor.execute(f"CREATE TABLE {name}.{table} (LIKE public.{table} INCLUDING ALL)")
        cursor.execute(
            "SELECT relname, pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace AND relname = ANY(%s)",
            [list(_TABLES)],
        )
        for table, definition in cursor.fetchall():
            cursor.execute(definition.replace(f" ON public.{table} ", f" ON {name}.{table} "))


def drop_second_books(name: str) -> None:
    """Delete the schema with all that is in it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA {connection.ops.quote_name(name)} CASCADE")


@contextmanager
def working_in(name: str) -> Iterator[None]:
    """Within the block, a transaction, `ledger_…` are the tables of the schema. All others stay what they are."""
    with transaction.atomic(), connection.cursor() as cursor:
        # What is checked at the end of a transaction must be checked where it was written.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SELECT set_config('search_path', %s, true)", [f"{name}, public"])
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        # The block may be part of a larger transaction.
        cursor.execute("SET LOCAL search_path TO DEFAULT")


def write_drafts(name: str, drafts: Sequence[Draft]) -> int:
    """Record journals in the second ledger; returns how many were written. Those whose entries cancel out are not."""
    with working_in(name):
        return sum(
            record_journal(
                source=draft.source,
                kind=draft.kind,
                entries=draft.entries,
                subject=draft.subject,
                effective_at=draft.effective_at,
            )
            for draft in drafts
        )


_JOURNALS = """
SELECT journal.source, (journal.kind, journal.subject, (
       SELECT array_agg((account.kind, coalesce(account.teacher_id, 0), account.currency, posting.amount_minor)::text
                        ORDER BY account.kind, account.teacher_id, account.currency)
         FROM {schema}.ledger_posting posting JOIN {schema}.ledger_account account ON account.id = posting.account_id
        WHERE posting.journal_id = journal.id))::text AS content
  FROM {schema}.ledger_journal journal
"""


def compare_books(name: str) -> Comparison:
    """Compare the second ledger with the first, by the hash of each and journal by journal."""
    with working_in(name):
        second_hash = hash_of_books()
    sides = f"WITH first AS ({_JOURNALS.format(schema='public')}), second AS ({_JOURNALS.format(schema=name)})"
    join = "SELECT source FROM first FULL JOIN second USING (source)"
    return Comparison(
        first_hash=hash_of_books(),
        second_hash=second_hash,
        only_first=_sources(f"{sides} {join} WHERE second.content IS NULL"),
        only_second=_sources(f"{sides} {join} WHERE first.content IS NULL"),
        different=_sources(f"{sides} {join} WHERE first.content <> second.content"),
    )


def _sources(query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"{query} ORDER BY source LIMIT {_SHOWN_AT_MOST}")
        return [row[0] for row in cursor.fetchall()]
