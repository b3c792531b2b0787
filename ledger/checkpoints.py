"""Takes checkpoints of balances, so that reading one costs the same however many postings there are.

Why a checkpoint is final. PostgreSQL gives each transaction that writes a number, in order, and each posting carries
its transaction's. The horizon is the lowest number of all transactions in this database that had not ended when a
snapshot was taken: every transaction below has committed, and the same snapshot sees what it wrote, or has aborted. A
transaction that begins later gets a higher number. So the sum of postings below the horizon, read in the same statement,
can never change; it does not matter in which order transactions began, wrote, committed, or drew the ids of their rows. A
checkpoint "of all ids so far" has no such property: a transaction with lower ids may commit afterwards.

Transactions in other databases of the same server write nothing here, so a long one among them does not hold the horizon
back. One that ends while its database is looked up, and a prepared one, count as ours.

A crash keeps this: the transaction that writes a checkpoint has itself a number at or above the horizon, and its records
reach the disk after those of every transaction that its snapshot saw; so after recovery PostgreSQL counts on from above the
horizon. A restore into another cluster may count from below; see `ledger_transaction_number` in the migrations.

No clock is involved. A checkpoint stores the first and the last moment of recording of its segment, and the last of all
below its horizon; since the set is final, so are they. A balance at an earlier moment reads from postings only the
segments that were recorded in part by then. What had taken effect by a moment is read from pages, which hold the
postings below checkpoints in that order (`ledger.models.page`).
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from ledger.models.page import CHECKPOINTS_PER_BLOCK, PAGE_POSTINGS

# A balance reads at most about twice as many postings.
SEGMENT_POSTINGS = 1000
_LOCK = 4_173_001  # of pg_advisory_lock; any number that no other lock of ours has

# Tests and restored databases may lack the row.
_NUMBERING = """
INSERT INTO ledger_numbering (id, shift, horizon, settled_from, searched_to) VALUES (1, 0, 0, 0, 0)
ON CONFLICT DO NOTHING
"""

# After a new shift: until every transaction that may have used the former one has ended, no checkpoint is taken. Each of
# them had its number before the new shift was seen here. The own number is higher only if it is given out now.
_SETTLE = """
UPDATE ledger_numbering SET settled_from = pg_current_xact_id()::text::bigint, searched_to = 0
 WHERE settled_from IS NULL AND pg_current_xact_id_if_assigned() IS NULL
"""

# The number of the oldest transaction that may still write in this database; the own one is not in its snapshot's list.
OLDEST = """(
SELECT least(pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
             pg_current_xact_id_if_assigned()::text::bigint, min(running::text::bigint))
  FROM pg_snapshot_xip(pg_current_snapshot()) AS running
 WHERE NOT EXISTS (
       SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted AND transactionid = running::xid
          AND datname <> current_database()))"""

_HORIZON = f"""
SELECT oldest + shift, searched_to FROM {OLDEST} AS running (oldest) CROSS JOIN ledger_numbering
 WHERE oldest >= settled_from
"""  # noqa: S608

# One statement, so horizon and sums are of one snapshot. Postings are divided in the order of transactions into segments
# of a thousand; those of one transaction stay together, in the later segment. The last segment is not covered yet.
_TAKE = f"""
WITH horizon AS MATERIALIZED (
    SELECT oldest + shift AS value FROM {OLDEST} AS running (oldest) CROSS JOIN ledger_numbering
     WHERE oldest >= settled_from
), touched AS (
    SELECT DISTINCT account_id FROM ledger_posting WHERE xact_id >= %(searched_to)s
), start AS (
    SELECT touched.account_id, coalesce(last.number, 0) AS number, coalesce(last.horizon, 0) AS since,
           coalesce(last.balance_minor, 0) AS balance_minor, last.latest_recorded_at
      FROM touched LEFT JOIN LATERAL (
           SELECT number, horizon, balance_minor, latest_recorded_at FROM ledger_checkpoint AS checkpoint
            WHERE checkpoint.account_id = touched.account_id ORDER BY horizon DESC LIMIT 1) AS last ON true
), uncovered AS (
    SELECT posting.account_id, posting.xact_id, posting.amount_minor, posting.recorded_at,
           (row_number() OVER (PARTITION BY posting.account_id ORDER BY posting.xact_id) - 1) / %(size)s AS block
      FROM start CROSS JOIN horizon JOIN ledger_posting AS posting
        ON posting.account_id = start.account_id AND posting.xact_id >= start.since AND posting.xact_id < horizon.value
), placed AS (
    SELECT *, max(block) OVER (PARTITION BY account_id, xact_id) AS number FROM uncovered
), segment AS (
    SELECT account_id, number, lead(min(xact_id)) OVER (PARTITION BY account_id ORDER BY number) AS horizon,
           count(*) AS postings, sum(amount_minor) AS amount_minor,
           min(recorded_at) AS first_recorded_at, max(recorded_at) AS last_recorded_at
      FROM placed GROUP BY account_id, number
)
INSERT INTO ledger_checkpoint (account_id, number, since, horizon, postings, amount_minor, first_recorded_at,
                               last_recorded_at, balance_minor, latest_recorded_at)
SELECT segment.account_id, start.number + row_number() OVER so_far, lag(segment.horizon, 1, start.since) OVER so_far, segment.horizon, segment.postings,
       segment.amount_minor, segment.first_recorded_at, segment.last_recorded_at,
       start.balance_minor + sum(segment.amount_minor) OVER so_far,
       greatest(start.latest_recorded_at, max(segment.last_recorded_at) OVER so_far)
  FROM segment JOIN start USING (account_id)
 WHERE segment.horizon IS NOT NULL
WINDOW so_far AS (PARTITION BY segment.account_id ORDER BY segment.number)
"""  # noqa: S608

# Blocks of as many checkpoints as `size` that the run has completed. OFFSET 0 keeps PostgreSQL from joining every block
# with every posting of its account: it does not know yet how many checkpoints there are.
_PAGES = """
WITH block AS (
    SELECT last.account_id, last.number / %(size)s - 1 AS block, first.since, last.horizon
      FROM ledger_checkpoint AS last JOIN ledger_checkpoint AS first
        ON first.account_id = last.account_id AND first.number = last.number - %(size)s + 1
     WHERE last.id > %(former)s AND last.number %% %(size)s = 0
), sorted AS (
    SELECT block.account_id, block.block, posting.effective_at, row_number() OVER by_effect - 1 AS position,
           sum(posting.amount_minor) OVER by_effect AS total
      FROM block CROSS JOIN LATERAL (
           SELECT id, effective_at, amount_minor FROM ledger_posting
            WHERE account_id = block.account_id AND xact_id >= block.since AND xact_id < block.horizon OFFSET 0) AS posting
    WINDOW by_effect AS (PARTITION BY block.account_id, block.block ORDER BY posting.effective_at, posting.id)
)
INSERT INTO ledger_page (account_id, level, block, page, first_effective_at, effective, sums)
SELECT account_id, %(level)s, block, position / %(page)s, min(effective_at),
       array_agg(effective_at ORDER BY position), array_agg(total ORDER BY position)
  FROM sorted GROUP BY account_id, block, position / %(page)s
"""

_FINISH = """
UPDATE ledger_numbering
   SET searched_to = %s, horizon = greatest(horizon, (SELECT max(checkpoint.horizon) FROM ledger_checkpoint AS checkpoint))
"""


def take_checkpoints(*, segment_postings: int = SEGMENT_POSTINGS) -> int:
    """Take those that are due: of accounts with as many postings that no checkpoint covers. Returns their number.

    One transaction. Returns zero at once if another process is taking them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_SETTLE)
        cursor.execute(_NUMBERING)
        cursor.execute(_HORIZON)
        found = cursor.fetchone()
        if found is None:
            return 0
        horizon, searched_to = found
        cursor.execute("SELECT coalesce(max(id), 0) FROM ledger_checkpoint")
        (former,) = cursor.fetchone()
        cursor.execute(_TAKE, {"searched_to": searched_to, "size": segment_postings})
        taken = int(cursor.rowcount)
        if taken:
            _fill_pages(cursor, former=former)
        cursor.execute(_FINISH, [horizon])
    return taken


def _fill_pages(cursor: CursorWrapper, *, former: int) -> None:
    """Write the pages of all blocks that were completed by checkpoints later than `former`, an id."""
    cursor.execute("SELECT max(number) FROM ledger_checkpoint WHERE id > %s", [former])
    (highest,) = cursor.fetchone()
    level, size = 0, 1
    while size <= highest:
        cursor.execute(_PAGES, {"level": level, "size": size, "former": former, "page": PAGE_POSTINGS})
        level, size = level + 1, size * CHECKPOINTS_PER_BLOCK


def retake_checkpoints(*, segment_postings: int = SEGMENT_POSTINGS) -> int:
    """Delete all checkpoints and take them again, from postings alone. Balances stay right meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("DELETE FROM ledger_page")
        cursor.execute("DELETE FROM ledger_checkpoint")
        cursor.execute("UPDATE ledger_numbering SET searched_to = 0")
        return take_checkpoints(segment_postings=segment_postings)
