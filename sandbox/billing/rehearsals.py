"""Performing an action to see its result: all changes are undone and no events are sent."""

from collections.abc import Callable

from django.db import transaction

from sandbox.store import Body
from sandbox.webhooks.events import suppressing_events


def rehearse(act: Callable[[], Body]) -> Body:
    """The result of `act`, with all its changes undone and its events discarded. Only within a transaction."""
    before = transaction.savepoint()
    try:
        with suppressing_events():
            return act()
    finally:
        transaction.savepoint_rollback(before)
