"""Which objects the database keeps the changes of: read from its triggers, which are what counts."""

from __future__ import annotations

from django.db import connection

# A trigger's arguments are bytes, each ended by a zero byte.
_TRACKED = r"""
SELECT DISTINCT split_part(encode(tgargs, 'escape'), '\000', 1) FROM pg_trigger
 WHERE tgname = 'operations_change_is_recorded' AND tgenabled <> 'D' ORDER BY 1
"""


def tracked_models() -> list[str]:
    """The labels of the models whose changes are kept, in lower case."""
    with connection.cursor() as cursor:
        cursor.execute(_TRACKED)
        return [label for (label,) in cursor.fetchall()]
