"""Limit how many pictures are decoded at once, across all processes of the site."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import connection, transaction

# Waiting longer would keep a web thread from other requests.
WAIT_SECONDS = 3.0
_POLL_SECONDS = 0.05


class NoSlotFree(Exception):
    """All slots stayed taken for as long as the caller may wait."""


@contextmanager
def decoding_slot() -> Iterator[None]:
    """Hold one of `settings.PICTURES_AT_ONCE` slots; database writes inside are rolled back. Raises NoSlotFree.

    The lock belongs to a transaction of its own or, inside another, to a savepoint: rolling back either releases it. So
    it works behind a transaction pooler, and PostgreSQL frees the slot of a process that was killed.
    """
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        with transaction.atomic():
            is_taken = _take_slot()
            if is_taken:
                yield
            transaction.set_rollback(True)
        if is_taken:
            return
        if time.monotonic() > give_up_at:
            raise NoSlotFree
        time.sleep(_POLL_SECONDS)


def _take_slot() -> bool:
    with connection.cursor() as cursor:
        for slot in range(settings.PICTURES_AT_ONCE):
            cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('uploads.decoding_slot'), %s)", [slot])
            if cursor.fetchone()[0]:
                return True
    return False
