"""Takes checkpoints although other tests run on the same server: their open transactions hold the horizon back."""

import time

from django.db import connection

from ledger.checkpoints import take_checkpoints

_IS_PAST_ALL = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + coalesce(shift, 0) > coalesce(newest, 0)
       AND pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= coalesce(settled_from, 0)
  FROM (SELECT max(xact_id) AS newest FROM ledger_posting) AS posting LEFT JOIN ledger_numbering ON true
"""


def take_all_checkpoints(*, segment_postings=1, patience=120):
    """Take the checkpoints of everything recorded so far, once every transaction has ended that was open meanwhile."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_IS_PAST_ALL)
            if cursor.fetchone()[0]:
                return take_checkpoints(segment_postings=segment_postings)
        time.sleep(0.02)
    raise AssertionError("A transaction stayed open.")
