"""The invariants of the books, which triggers and constraints keep.

These queries find what neither prevents: a faulty restore or disk, changes made with the triggers disabled. `manage.py
ledger verify` runs them all over the whole books.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import connection

from jobs.invariants import Invariant
from ledger.chart import OF_PLATFORM, PER_TEACHER
from ledger.models.page import CHECKPOINTS_PER_BLOCK, PAGE_POSTINGS

# Enough to show what is wrong; the memory stays small when everything is.
_IDS_AT_MOST = 1000
# The triggers that keep each table.
_GUARDS = {
    "ledger_account": ["is_kept", "is_not_emptied"],
    "ledger_journal": ["is_kept", "is_not_emptied", "is_stamped", "balances"],
    "ledger_posting": ["is_kept", "is_not_emptied", "is_stamped", "balances"],
    "ledger_periodclose": ["is_kept", "is_not_emptied", "is_stamped"],
}


class _FoundByQuery:
    """An invariant whose query selects the ids that break it."""

    query: ClassVar[str]

    def breaking(self) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id FROM ({self.query}) AS broken LIMIT {_IDS_AT_MOST}", self.parameters())  # noqa: S608  # our own queries
            return [row[0] for row in cursor.fetchall()]

    def parameters(self) -> list[Any]:
        return []


class JournalsBalance(_FoundByQuery):
    name = "ledger.journals_balance"
    promise = "The postings of each journal add up to zero in each currency."
    query = """
        SELECT posting.journal_id AS id
          FROM ledger_posting AS posting JOIN ledger_account AS account ON account.id = posting.account_id
         GROUP BY posting.journal_id, account.currency HAVING sum(posting.amount_minor) <> 0
    """


class JournalsHavePostings(_FoundByQuery):
    name = "ledger.journals_have_postings"
    promise = "Each journal has at least two postings."
    query = """
        SELECT journal.id FROM ledger_journal AS journal
          LEFT JOIN (SELECT journal_id, count(*) AS number FROM ledger_posting GROUP BY journal_id) AS postings
            ON postings.journal_id = journal.id
         WHERE coalesce(postings.number, 0) < 2
    """


class PostingsFitTheirJournals(_FoundByQuery):
    name = "ledger.postings_fit_their_journals"
    promise = "Each posting belongs to a journal, has its moments, and took effect before it was recorded."
    query = """
        SELECT posting.id FROM ledger_posting AS posting
          LEFT JOIN ledger_journal AS journal ON journal.id = posting.journal_id
         WHERE (posting.recorded_at, posting.effective_at, posting.xact_id)
               IS DISTINCT FROM (journal.recorded_at, journal.effective_at, journal.xact_id)
            OR posting.effective_at > posting.recorded_at
    """


class PostingsAreOnAccounts(_FoundByQuery):
    name = "ledger.postings_are_on_accounts"
    promise = "Each posting moves an amount on an account that exists."
    query = """
        SELECT posting.id FROM ledger_posting AS posting
          LEFT JOIN ledger_account AS account ON account.id = posting.account_id
         WHERE account.id IS NULL OR posting.amount_minor = 0
    """


class AccountsFitTheChart(_FoundByQuery):
    name = "ledger.accounts_fit_the_chart"
    promise = "Each account is in the chart of accounts, and has a teacher exactly if its kind is one per teacher."
    query = """
        SELECT id FROM ledger_account
         WHERE NOT (kind = ANY(%s) AND teacher_id IS NOT NULL OR kind = ANY(%s) AND teacher_id IS NULL)
    """

    def parameters(self) -> list[Any]:
        return [[kind.value for kind in PER_TEACHER], [kind.value for kind in OF_PLATFORM]]


class CheckpointsAgree(_FoundByQuery):
    name = "ledger.checkpoints_agree"
    promise = "Each checkpoint is the sum of the postings below its horizon, and knows when they were recorded."
    # By induction along each account's chain, a checkpoint's balance is the full sum.
    query = """
        SELECT checkpoint.id FROM ledger_checkpoint AS checkpoint
          LEFT JOIN ledger_checkpoint AS former
            ON former.account_id = checkpoint.account_id AND former.horizon = checkpoint.since
         CROSS JOIN LATERAL (
               SELECT count(*) AS postings, coalesce(sum(amount_minor), 0) AS amount_minor,
                      min(recorded_at) AS first_recorded_at, max(recorded_at) AS last_recorded_at
                 FROM ledger_posting AS posting
                WHERE posting.account_id = checkpoint.account_id
                  AND posting.xact_id >= checkpoint.since AND posting.xact_id < checkpoint.horizon) AS segment
         WHERE (checkpoint.postings, checkpoint.amount_minor, checkpoint.first_recorded_at, checkpoint.last_recorded_at)
               IS DISTINCT FROM
               (segment.postings, segment.amount_minor, segment.first_recorded_at, segment.last_recorded_at)
            OR checkpoint.balance_minor <> coalesce(former.balance_minor, 0) + checkpoint.amount_minor
            OR checkpoint.latest_recorded_at <> greatest(former.latest_recorded_at, checkpoint.last_recorded_at)
            OR (checkpoint.since <> 0) <> (former.id IS NOT NULL)
    """


class PagesAgree(_FoundByQuery):
    name = "ledger.pages_agree"
    promise = (
        "The pages of checkpoints hold the postings below them in the order of effect. A missing page has the id 0."
    )
    query = """
        WITH block AS (
            SELECT last.account_id, level.level, last.number / level.size - 1 AS block, first.since, last.horizon
              FROM (SELECT level, (%s ^ level)::int AS size FROM generate_series(0, 6) AS level) AS level
              JOIN ledger_checkpoint AS last ON last.number %% level.size = 0
              JOIN ledger_checkpoint AS first
                ON first.account_id = last.account_id AND first.number = last.number - level.size + 1
        ), sorted AS (
            SELECT block.account_id, block.level, block.block, posting.effective_at,
                   row_number() OVER by_effect - 1 AS position, sum(posting.amount_minor) OVER by_effect AS total
              FROM block CROSS JOIN LATERAL (
                   SELECT id, effective_at, amount_minor FROM ledger_posting
                    WHERE account_id = block.account_id AND xact_id >= block.since AND xact_id < block.horizon
                   OFFSET 0) AS posting
            WINDOW by_effect AS (
                PARTITION BY block.account_id, block.level, block.block ORDER BY posting.effective_at, posting.id)
        ), expected AS (
            SELECT account_id, level, block, position / %s AS page, min(effective_at) AS first_effective_at,
                   array_agg(effective_at ORDER BY position) AS effective,
                   array_agg(total::bigint ORDER BY position) AS sums
              FROM sorted GROUP BY account_id, level, block, position / %s
        )
        SELECT coalesce(page.id, 0) AS id FROM expected FULL JOIN ledger_page AS page
            ON page.account_id = expected.account_id AND page.level = expected.level AND page.block = expected.block
           AND page.page = expected.page
         WHERE (page.first_effective_at, page.effective, page.sums)
               IS DISTINCT FROM (expected.first_effective_at, expected.effective, expected.sums)
    """

    def parameters(self) -> list[Any]:
        return [CHECKPOINTS_PER_BLOCK, PAGE_POSTINGS, PAGE_POSTINGS]


class ReversalsAreOpposite(_FoundByQuery):
    name = "ledger.reversals_are_opposite"
    promise = "A reversal has the postings of the journal that it reverses, on the other side."
    query = """
        SELECT DISTINCT coalesce(reversal.id, original.reversal_id) AS id
          FROM (SELECT journal.id, posting.account_id, posting.amount_minor
                  FROM ledger_journal AS journal JOIN ledger_posting AS posting ON posting.journal_id = journal.id
                 WHERE journal.reverses_id IS NOT NULL) AS reversal
          FULL JOIN (SELECT journal.id AS reversal_id, posting.account_id, posting.amount_minor
                       FROM ledger_journal AS journal JOIN ledger_posting AS posting
                         ON posting.journal_id = journal.reverses_id) AS original
            ON original.reversal_id = reversal.id AND original.account_id = reversal.account_id
         WHERE reversal.amount_minor IS DISTINCT FROM -original.amount_minor
    """


class ClosedPeriodsStayClosed(_FoundByQuery):
    name = "ledger.closed_periods_stay_closed"
    promise = "No journal that was recorded after a period was closed takes effect in it."
    query = """
        SELECT journal.id FROM ledger_periodclose AS closing JOIN ledger_journal AS journal
            ON journal.effective_at < closing.closed_until AND journal.recorded_at > closing.closed_at
    """


class BooksAreGuarded(_FoundByQuery):
    name = "ledger.books_are_guarded"
    promise = "The triggers that keep the books are in place and enabled. The ids are those of tables (pg_class)."
    query = """
        SELECT to_regclass(guard.relation)::oid::bigint AS id
          FROM unnest(%s::text[], %s::text[]) AS guard (relation, name)
         WHERE NOT EXISTS (
               SELECT FROM pg_trigger
                WHERE tgrelid = to_regclass(guard.relation) AND tgname = guard.name AND tgenabled IN ('O', 'A'))
    """

    def parameters(self) -> list[Any]:
        guards = [(table, f"{table}_{name}") for table, names in _GUARDS.items() for name in names]
        return [[table for table, _ in guards], [name for _, name in guards]]


INVARIANTS: tuple[Invariant, ...] = (
    BooksAreGuarded(),
    JournalsBalance(),
    JournalsHavePostings(),
    PostingsFitTheirJournals(),
    PostingsAreOnAccounts(),
    AccountsFitTheChart(),
    CheckpointsAgree(),
    PagesAgree(),
    ReversalsAreOpposite(),
    ClosedPeriodsStayClosed(),
)
