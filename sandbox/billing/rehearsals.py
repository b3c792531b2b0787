"""Doing something to see what would come of it: nothing of it stays, and nobody is told."""

from collections.abc import Callable

from django.db import transaction

from sandbox.store import Body
from sandbox.webhooks.events import untold


def rehearse(act: Callable[[], Body]) -> Body:
    """What `act` returns, with all that it stored undone and all that it told untold. Within a transaction only."""
    before = transaction.savepoint()
    try:
        with untold():
            return act()
    finally:
        transaction.savepoint_rollback(before)
