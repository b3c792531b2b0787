"""Fills the books with a million postings, as two years of sales would leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

JOURNALS = 500_000
TEACHERS = 2000
IMPORTED = 100_000
SINCE = datetime(2024, 1, 1, tzinfo=UTC)
FIRST_EFFECT_AT = SINCE - timedelta(days=730)
_BETWEEN = timedelta(minutes=2)
LAST_AT = SINCE + JOURNALS * _BETWEEN

# With the triggers off, since they would stamp the moment of filling. Each journal has a transaction of its own; its
# moment of recording is up to three minutes late, so the order of transactions and of moments differ. The first were
# imported together, and had taken effect over two years before. Of the others, one in a hundred was recorded up to five
# days after it took effect, the rest within seconds.
_FILL = """
SET session_replication_role = replica;
INSERT INTO accounts_user (id, password, is_superuser, is_staff, is_active, date_joined, email, full_name, time_zone, language)
SELECT n, '', false, false, true, now(), n || '@example.org', '', 'Europe/London', 'en-gb'
  FROM generate_series(1, {teachers}) AS n;
INSERT INTO accounts_teacher (id, user_id, slug, status, display_name, headline, biography, photo, languages, regions,
                              applied_at, decision_note)
SELECT n, n, 'teacher-' || n, 'approved', 'Teacher ' || n, '', '', '', '{{}}', '{{}}', now(), ''
  FROM generate_series(1, {teachers}) AS n;
INSERT INTO ledger_account (kind, teacher_id, currency) VALUES ('stripe_clearing', NULL, 'GBP');
INSERT INTO ledger_account (kind, teacher_id, currency)
SELECT 'teacher_pending', n, 'GBP' FROM generate_series(1, {teachers}) AS n ORDER BY n;
SELECT setseed(0.5);
CREATE TEMPORARY TABLE happening AS
SELECT n, '{since}'::timestamptz + CASE WHEN n <= {imported} THEN n * interval '10 milliseconds'
                                       ELSE n * interval '{between} seconds' + random() * interval '3 minutes' END AS recorded_at,
       CASE WHEN n <= {imported} THEN random() * interval '730 days' WHEN random() < 0.01 THEN random() * interval '5 days' ELSE random() * interval '5 seconds' END AS late,
       1 + floor(random() * 100000)::bigint AS amount, 2 + floor(random() * {teachers})::bigint AS other
  FROM generate_series(1, {journals}) AS n;
INSERT INTO ledger_journal (source, kind, subject, description, recorded_at, effective_at, xact_id)
SELECT 'order:' || n, 'sale', 'order:' || n, '', recorded_at, recorded_at - late, n FROM happening ORDER BY n;
INSERT INTO ledger_posting (journal_id, account_id, amount_minor, recorded_at, effective_at, xact_id)
SELECT n, CASE side WHEN 1 THEN 1 ELSE other END, side * amount, recorded_at, recorded_at - late, n
  FROM happening CROSS JOIN (VALUES (1), (-1)) AS sides (side) ORDER BY n;
INSERT INTO ledger_numbering (id, shift, horizon, settled_from, searched_to) VALUES (1, {journals}, 0, 0, 0);
SET session_replication_role = origin;
"""
_INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
 WHERE tablename = 'ledger_posting' AND indexname LIKE 'ledger\\_posting\\_%'
   AND indexname NOT IN (SELECT conname FROM pg_constraint) AND indexname <> 'ledger_posting_pkey'
"""


def fill(connection: psycopg.Connection[Any]) -> None:
    """Fill an empty database. Its indexes are built afterwards, which is faster."""
    indexes = connection.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")  # our own names
    statements = _FILL.format(
        teachers=TEACHERS,
        journals=JOURNALS,
        imported=IMPORTED,
        since=SINCE.isoformat(),
        between=int(_BETWEEN.total_seconds()),
    )
    connection.execute(statements)
    for _, definition in indexes:
        connection.execute(definition)
    connection.execute("VACUUM ANALYZE")
