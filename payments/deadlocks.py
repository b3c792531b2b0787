"""One order of locks makes deadlocks impossible; for the one that happens all the same, a second try."""

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
    """Call a function that is one transaction once more if PostgreSQL ended it to break a deadlock."""

    @wraps(transaction)
    def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return transaction(*args, **kwargs)
        except OperationalError as error:
            # Inside of another transaction that one has to begin again.
            if connection.in_atomic_block or not isinstance(error.__cause__, DeadlockDetected):
                raise
            log.warning("deadlock_retried", function=transaction.__name__)
        # At once it could take the very lock that the other one is just waking up for.
        time.sleep(_PAUSE_SECONDS)
        return transaction(*args, **kwargs)

    return call
