"""Retry a transaction once after a deadlock, in case the fixed order of locks did not prevent it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import structlog
from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected

log = structlog.get_logger()
_PAUSE_SECONDS = 0.1
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def retried_after_deadlock(transaction: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Call a function that is one transaction a second time if PostgreSQL aborted it to break a deadlock."""

    @wraps(transaction)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return transaction(*args, **kwargs)
        except OperationalError as error:
            # Within another transaction, that one would have to be retried.
            if connection.in_atomic_block or not isinstance(error.__cause__, DeadlockDetected):
                raise
            log.warning("deadlock_retried", function=transaction.__name__)
        # An immediate retry could take the lock again before the other transaction, just woken, gets it.
        time.sleep(_PAUSE_SECONDS)
        return transaction(*args, **kwargs)

    return call
