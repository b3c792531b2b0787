"""Tell a worker that there is work, without ever making the writer wait for the broker.

A thread in each process sends the Celery messages. Several rows written within moments become one message, and a broker
that is down delays nobody: the sweep finds rows nobody was told about.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

import structlog
from django.db import transaction

if TYPE_CHECKING:
    from jobs.models import DurableWork

log = structlog.get_logger()


def wake_after_commit(model: type[DurableWork]) -> None:
    """Wake a worker for rows of `model` as soon as the current transaction is committed (at once without one)."""
    transaction.on_commit(lambda: _waker.ask(model._meta.label, model.queue))


class _Waker:
    """Sends at most one message per kind of work at a time, from its own thread."""

    def __init__(self) -> None:
        self._pending: dict[str, str] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def ask(self, label: str, queue: str) -> None:
        with self._changed:
            self._start_in_this_process()
            self._pending[label] = queue
            self._changed.notify()

    def _start_in_this_process(self) -> None:
        # Threads do not survive the fork of a web server's workers, so each process starts its own.
        if self._pid == os.getpid() and self._thread and self._thread.is_alive():
            return
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="jobs-waker", daemon=True)
        self._thread.start()
        atexit.register(self.flush)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._pending:
                    self._changed.wait()
            self.flush()

    def flush(self) -> None:
        """Send what is pending now."""
        from jobs.tasks import drain  # the task imports the models, which import this module

        with self._changed:
            batch, self._pending = self._pending, {}
        for label, queue in batch.items():
            try:
                drain.apply_async((label,), queue=queue, retry=False)
            except Exception as error:  # whatever the broker client raises, the sweep finds the rows
                log.warning("wake_failed", work=label, error=repr(error))


_waker = _Waker()
