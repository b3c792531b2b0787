"""The state of all kinds of durable work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Min, Q
from django.db.models.functions import Now

from jobs import heartbeats, registry
from jobs.models import DurableWork

# Due work is normally begun within seconds; the sweep runs every two.
SHOULD_HAVE_BEGUN = timedelta(minutes=1)
_UNFINISHED = [DurableWork.State.WAITING, DurableWork.State.RUNNING, DurableWork.State.PARKED]


@dataclass(frozen=True, slots=True)
class KindOfWork:
    """One kind and its unfinished rows. Finished ones are not counted: that would read the whole table."""

    model: type[DurableWork]
    waiting: int
    running: int
    parked: int
    # How long the oldest row that could be claimed has been due; None if there is none.
    oldest_due: timedelta | None

    @property
    def is_late(self) -> bool:
        """Whether workers have fallen behind or are not running."""
        return self.oldest_due is not None and self.oldest_due > SHOULD_HAVE_BEGUN


def kinds_of_work() -> Sequence[KindOfWork]:
    """Every installed kind, one query each."""
    return sorted(map(_kind, registry.work_models()), key=lambda kind: str(kind.model._meta.verbose_name_plural))


def sweep_is_missing() -> bool:
    """Whether beat or all urgent workers are down: until they are back, no lost or delayed work is found."""
    return heartbeats.is_missing("jobs.sweep", within=timedelta(seconds=30))


def _kind(model: type[DurableWork]) -> KindOfWork:
    states = {state: Count("pk", filter=Q(state=state)) for state in _UNFINISHED}
    is_due = Q(state__in=[DurableWork.State.WAITING, DurableWork.State.RUNNING], run_after__lte=Now())
    row = model._default_manager.filter(state__in=_UNFINISHED, **model.lane).aggregate(
        **states, oldest_due=Now() - Min("run_after", filter=is_due)
    )
    return KindOfWork(model=model, **row)
