"""The abstract row of durable work."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from jobs.waking import wake_after_commit


class WorkParked(Exception):
    """Raised by `perform` when trying again cannot help: the row is parked at once, with this as its error."""


class WorkPostponed(Exception):
    """Raised by `perform` when it is too early, not wrong: tried again later without counting as a failure."""

    def __init__(self, reason: str, *, delay: timedelta) -> None:
        super().__init__(reason)
        self.delay = delay


class DurableWork(models.Model):
    """One thing that must happen later, exactly once in effect.

    `run_after` says when the row is due. Claiming moves it to the end of the claimer's lease, so the row of a killed
    worker becomes due again by itself. `attempts` is also the fence: only the latest claim may record its outcome.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        PARKED = "parked"

    # Which Celery queue wakes this kind of work, and how long one run may take before another worker takes over.
    queue: ClassVar[str] = "default"
    lease: ClassVar[timedelta] = timedelta(seconds=60)
    max_attempts: ClassVar[int] = 10
    first_retry_delay: ClassVar[timedelta] = timedelta(seconds=2)
    longest_retry_delay: ClassVar[timedelta] = timedelta(hours=1)

    state = models.CharField(max_length=10, choices=State, default=State.WAITING, editable=False)
    priority = models.SmallIntegerField(default=0, editable=False, help_text="Lower runs first.")
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    run_after = models.DateTimeField(db_default=Now(), editable=False)
    last_error = models.TextField(blank=True, default="", editable=False)
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

    def perform(self) -> None:
        """Do the work. May run again after any crash, so every effect must be harmless to repeat.

        Returning means done; WorkParked gives up at once; any other exception is retried later.
        """
        raise NotImplementedError

    def on_parked(self) -> None:
        """Called once when the row is parked, for whoever must be told."""

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and for new work wake a worker once the surrounding transaction has committed."""
        is_new = self._state.adding
        super().save(*args, **kwargs)
        if is_new:
            wake_after_commit(type(self))

    @classmethod
    def due(cls) -> models.QuerySet[Self]:
        """Rows a worker may claim now: waiting ones whose time has come, running ones whose lease ran out."""
        return cls._default_manager.filter(
            state__in=[DurableWork.State.WAITING, DurableWork.State.RUNNING], run_after__lte=Now()
        )

    def mark_done(self) -> bool:
        """Record success, if this claim is still the latest. Call it inside the transaction of the effect itself,
        so that both happen or neither; the runner calls it for work that did not."""
        return self._record_outcome(state=DurableWork.State.DONE, finished_at=timezone.now(), last_error="")

    def mark_failed(self, error: str) -> bool:
        """Record a failed attempt: tried again after a growing, jittered delay, or parked after the last one."""
        if self.attempts >= self.max_attempts:
            return self.mark_parked(error)
        return self._record_outcome(
            state=DurableWork.State.WAITING, run_after=timezone.now() + self._retry_delay(), last_error=error
        )

    def mark_postponed(self, reason: str, delay: timedelta) -> bool:
        """Record that it was too early; the attempt does not count."""
        return self._record_outcome(
            state=DurableWork.State.WAITING,
            run_after=timezone.now() + delay,
            last_error=reason,
            attempts=max(self.attempts - 1, 0),
        )

    def mark_parked(self, error: str) -> bool:
        """Give up until somebody retries it in the admin."""
        return self._record_outcome(state=DurableWork.State.PARKED, finished_at=timezone.now(), last_error=error)

    def retry_now(self) -> None:
        """Put a parked, failed or finished row back in line with fresh attempts."""
        type(self)._default_manager.filter(pk=self.pk).exclude(state=DurableWork.State.RUNNING).update(
            state=DurableWork.State.WAITING, attempts=0, run_after=Now(), finished_at=None
        )
        wake_after_commit(type(self))

    def _retry_delay(self) -> timedelta:
        # Jitter keeps rows that failed together (Stripe was down) from coming back together.
        growing = self.first_retry_delay * 2 ** min(self.attempts - 1, 20)
        return min(growing, self.longest_retry_delay) * random.uniform(0.75, 1.25)  # noqa: S311  # not a secret

    def _record_outcome(self, **fields: Any) -> bool:
        is_latest_claim = (
            type(self)
            ._default_manager.filter(pk=self.pk, state=DurableWork.State.RUNNING, attempts=self.attempts)
            .update(**fields)
            == 1
        )
        if is_latest_claim:
            for name, value in fields.items():
                setattr(self, name, value)
        return is_latest_claim
