"""Takes checkpoints although transactions of the test itself have just ended."""

import time

from django.db import connection

from ledger.checkpoints import OLDEST, take_checkpoints

_IS_PAST_ALL = f"""
SELECT oldest + coalesce(shift, 0) > coalesce(newest, 0) AND oldest >= coalesce(settled_from, 0)
  FROM {OLDEST} AS running (oldest) CROSS JOIN (SELECT max(xact_id) AS newest FROM ledger_posting) AS posting
  LEFT JOIN ledger_numbering ON true
"""


def take_all_checkpoints(*, segment_postings=1, patience=10):
    """Take the checkpoints of everything recorded so far, once every transaction has ended that was open meanwhile."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(_IS_PAST_ALL)
            if cursor.fetchone()[0]:
                return take_checkpoints(segment_postings=segment_postings)
        time.sleep(0.02)
    raise AssertionError("A transaction stayed open.")
