"""Wake a worker when there is work, without ever making the writer wait for the broker.

A thread in each process sends the messages. Rows written within moments of each other become one message, and a broker
that is down delays no request: the sweep finds rows that no worker was woken for.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar, Protocol

import structlog
from django.db import transaction
from django.db.models.options import Options

from jobs.messages import Hint, send_drain

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 5.0
_TRIES = 3
_PAUSE_SECONDS = 0.5
# After each message rows gather for this long: under load one message announces dozens, and the thread stays out of
# the way of the requests in the same process. A lone row is announced at once. A woken worker goes on until nothing is
# due, so later messages only matter for rows written as it finishes: few rows wait this tenth of a second.
_GATHER_SECONDS = 0.1


class Wakeable(Protocol):
    """What a wake-up needs to know about a kind of work; `jobs.models.DurableWork` has it."""

    _meta: ClassVar[Options[Any]]
    queue: ClassVar[str]
    lease: ClassVar[timedelta]


# What a message is about: a kind of work, or a hint.
Subject = type[Wakeable] | Hint


def wake_after_commit(model: type[Wakeable]) -> None:
    """Wake a worker for rows of `model` as soon as the current transaction is committed (at once without one)."""
    transaction.on_commit(lambda: wake(model), robust=True)


def wake(model: type[Wakeable]) -> None:
    """Wake a worker for rows of `model` that are committed. Takes microseconds and never raises."""
    _ask(model)


def send_soon(hint: Hint) -> None:
    """Send a message that may be lost, from the same thread. Takes microseconds and never raises."""
    _ask(hint)


def _ask(subject: Subject) -> None:
    try:
        _waker.ask(subject)
    except RuntimeError as error:  # no thread can be started: the process is exiting, or out of threads
        log.warning("wake_failed", subject=_name_of(subject), error=repr(error))


def _publish(subject: Subject) -> None:
    if isinstance(subject, Hint):
        subject.send()
    else:
        send_drain(subject._meta.label, queue=subject.queue, lease=subject.lease)


class Waker:
    """Sends one message per subject at a time, from a thread that ends when it has nothing to do."""

    def __init__(self, publish: Callable[[Subject], None]) -> None:
        self._publish = publish
        self._pending: dict[Subject, int] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def ask(self, subject: Subject) -> None:
        """Request that a message about it be sent soon. Raises RuntimeError if no thread can be started."""
        with self._changed:
            self._pending[subject] = _TRIES
            if self._thread is None:
                # A daemon, so a broker that hangs never keeps a process from exiting.
                thread = threading.Thread(target=self._run, name="jobs-waker", daemon=True)
                thread.start()
                self._thread = thread
            else:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._changed.wait_for(lambda: self._pending, timeout=_IDLE_SECONDS):
                    self._thread = None
                    return
                batch, self._pending = self._pending, {}
            failed = {subject: tries - 1 for subject, tries in batch.items() if not self._send(subject)}
            if failed:
                # Asking meanwhile costs nothing: all requests become one message per kind after the pause.
                time.sleep(_PAUSE_SECONDS)
                self._ask_again(failed)
            time.sleep(_GATHER_SECONDS)

    def _send(self, subject: Subject) -> bool:
        try:
            self._publish(subject)
        except Exception as error:  # noqa: BLE001  # whatever the broker's client raises, the sweep finds the rows
            log.warning("wake_failed", subject=_name_of(subject), error=repr(error))
            return False
        return True

    def _ask_again(self, failed: dict[Subject, int]) -> None:
        with self._changed:
            for subject, tries in failed.items():
                if tries > 0:
                    self._pending.setdefault(subject, tries)


def _name_of(subject: Subject) -> str:
    return subject.task_name if isinstance(subject, Hint) else subject._meta.label


def _start_afresh() -> None:
    # Threads do not survive a fork, and the lock might be held by a thread of the parent.
    global _waker  # noqa: PLW0603  # one per process is the point
    _waker = Waker(_publish)


_waker = Waker(_publish)
os.register_at_fork(after_in_child=_start_afresh)
