"""The abstract row of durable work, and the heartbeats of periodic tasks."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now

from jobs.wakeups import wake_after_commit

_ERROR_LENGTH_AT_MOST = 20_000


class WorkParked(Exception):
    """Raised by a performer when trying again cannot help: the row is parked at once, with this as its error."""


class WorkPostponed(Exception):
    """Raised by a performer when it is too early, not wrong: tried again later without counting as a failure.

    Postponements are counted separately and are limited: after `max_postponements` of its kind the row is parked.
    For a delay that grows, see `DurableWork.postponements`.
    """

    def __init__(self, reason: str, *, delay: timedelta) -> None:
        super().__init__(reason)
        self.delay = delay


class ClaimLost(Exception):
    """Another worker holds the row now, staff parked it, or it was never claimed: what was done must roll back."""


class DurableWork(models.Model):
    """One thing that must happen later, exactly once in effect.

    `run_after` says when the row is due. Claiming moves it to the end of the claimer's lease, so the row of a killed
    worker becomes due again by itself. That moment differs for every claim, which makes it the fence as well: only the
    latest claim may record an outcome. All moments are PostgreSQL's, so workers' clocks need not agree.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        PARKED = "parked"

    # The Celery queue whose workers perform this kind, and how long a run may take before another worker takes over.
    # Celery stops a run some seconds before its lease ends, so 20 seconds is the least that makes sense.
    queue: ClassVar[str] = "default"
    lease: ClassVar[timedelta] = timedelta(seconds=60)
    max_attempts: ClassVar[int] = 10
    max_postponements: ClassVar[int] = 20
    first_retry_delay: ClassVar[timedelta] = timedelta(seconds=2)
    longest_retry_delay: ClassVar[timedelta] = timedelta(hours=1)

    # The rows of the table that belong to this kind, by column values. A proxy model with another lane and queue is a
    # second kind of work on the same rows.
    lane: ClassVar[Mapping[str, bool]] = {}

    # Every column has its default in the database too, so that an INSERT in plain SQL names only what it adds.
    state = models.CharField(
        max_length=10, choices=State, default=State.WAITING, db_default=State.WAITING, editable=False
    )
    priority = models.SmallIntegerField(default=0, db_default=0, editable=False, help_text="Lower runs first.")
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    postponements = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    run_after = models.DateTimeField(db_default=Now(), editable=False)
    last_error = models.TextField(blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
        indexes = [
            models.Index(
                fields=["priority", "run_after"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="%(app_label)s_%(class)s_due",
            )
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and for new work wake a worker once the surrounding transaction has committed.

        After `bulk_create` call `wake_after_commit` yourself.
        """
        is_new = self._state.adding
        super().save(*args, **kwargs)
        if is_new:
            wake_after_commit(type(self))

    @classmethod
    def due(cls) -> models.QuerySet[Self]:
        """Rows a worker may claim now: waiting ones whose time has come, running ones whose lease ran out."""
        return cls._default_manager.filter(
            state__in=[DurableWork.State.WAITING, DurableWork.State.RUNNING], run_after__lte=Now(), **cls.lane
        )

    def mark_done(self, **fields: Any) -> None:
        """Record success and store `fields` in the same statement. Raises ClaimLost.

        Call it on the claimed object, inside the transaction of the effect: then both happen or neither, and
        the effect of a worker that was overtaken rolls back. The runner calls it for a performer that did not.
        """
        self._record_outcome(state=DurableWork.State.DONE, finished_at=Now(), last_error="", **fields)

    def mark_failed(self, error: str, *, no_sooner_than: timedelta | None = None) -> None:
        """Record a failed attempt: tried again after a growing, jittered delay. Raises ClaimLost.

        `no_sooner_than` is for another server that says how long it wants to be left alone.
        """
        delay = max(self._retry_delay(), no_sooner_than or timedelta(0))
        self._record_outcome(state=DurableWork.State.WAITING, run_after=Now() + delay, last_error=_storable(error))

    def mark_postponed(self, reason: str, delay: timedelta) -> None:
        """Record that it was too early: counted as a postponement, not as an attempt. Raises ClaimLost."""
        self._record_outcome(
            state=DurableWork.State.WAITING,
            run_after=Now() + delay,
            last_error=_storable(reason),
            attempts=max(self.attempts - 1, 0),
            postponements=self.postponements + 1,
        )

    def put_back(self, **fields: Any) -> None:
        """Put a claimed row back in line, counted afresh, with `fields` that move it to another lane. Raises ClaimLost."""
        self._record_outcome(
            state=DurableWork.State.WAITING, run_after=Now(), attempts=0, postponements=0, last_error="", **fields
        )

    def mark_parked(self, error: str) -> None:
        """Give up until staff retry it in the admin. Raises ClaimLost."""
        self._record_outcome(state=DurableWork.State.PARKED, finished_at=Now(), last_error=_storable(error))

    def retry_now(self) -> bool:
        """Put a parked, finished or waiting row in line at once, counted afresh; False while one is running.

        Finished work is then done a second time: only a person may decide that, never code.
        """
        changed = (
            type(self)
            ._default_manager.filter(pk=self.pk)
            .exclude(state=DurableWork.State.RUNNING, run_after__gt=Now())
            .update(state=DurableWork.State.WAITING, attempts=0, postponements=0, run_after=Now(), finished_at=None)
        )
        wake_after_commit(type(self))
        return bool(changed)

    def park_now(self, reason: str) -> bool:
        """Park an unfinished row; a run under way can then no longer record success.

        False if it had finished. `when_parked` is not called: the caller knows.
        """
        unfinished = [DurableWork.State.WAITING, DurableWork.State.RUNNING]
        changed = (
            type(self)
            ._default_manager.filter(pk=self.pk, state__in=unfinished)
            .update(state=DurableWork.State.PARKED, finished_at=Now(), last_error=_storable(reason))
        )
        return bool(changed)

    @property
    def end_of_error(self) -> str:
        """The end of the last error, which names it, as short as alerts quote it."""
        return self.last_error.strip()[-500:]

    @property
    def last_line_of_error(self) -> str:
        """The last line of the last error, which in a traceback names it; for lists."""
        return self.last_error.strip().rpartition("\n")[2][:300]

    def _retry_delay(self) -> timedelta:
        # Jitter keeps rows that failed together (Stripe was down) from coming back together.
        growing = self.first_retry_delay * 2 ** min(max(self.attempts - 1, 0), 20)
        jitter = random.uniform(0.75, 1.25)  # noqa: S311  # not a secret
        return timedelta(seconds=min(growing, self.longest_retry_delay).total_seconds() * jitter)

    def _record_outcome(self, **fields: Any) -> None:
        is_latest_claim = (
            type(self)
            ._default_manager.filter(pk=self.pk, state=DurableWork.State.RUNNING, run_after=self.run_after)
            .update(**fields)
        )
        if not is_latest_claim:
            raise ClaimLost(f"{self._meta.label} {self.pk}")
        for name, value in fields.items():
            if not hasattr(value, "resolve_expression"):
                setattr(self, name, value)


def _storable(error: str) -> str:
    """An error text that can be stored whatever hostile input it quotes: no NUL, no lone surrogates, no megabytes.

    The end of the text is kept, because in a traceback it names the error.
    """
    storable = error.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
    return storable[-_ERROR_LENGTH_AT_MOST:]


class Heartbeat(models.Model):
    """When a periodic task last ran. A missing heartbeat shows that beat or the workers have died."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "work and heartbeats"

    def __str__(self) -> str:
        return self.name
