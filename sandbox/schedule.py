"""Scheduled steps: changes that happen automatically when the sandbox's clock reaches their time."""

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from django.db import transaction

from sandbox import clock, statements, store
from sandbox.models import ScheduledStep
from sandbox.protocol import origin

Step: TypeAlias = Callable[[str], None]

_TABLE = ScheduledStep._meta.db_table
_COLUMNS = ", ".join(str(field.column) for field in ScheduledStep._meta.concrete_fields)
logger = logging.getLogger(__name__)
_steps: dict[str, Step] = {}
# Reentrant: advancing a test clock is a step itself, and runs the steps of that clock.
_running = threading.RLock()
work_arrived = threading.Event()


def step(name: str) -> Callable[[Step], Step]:
    """Register the function that runs a step, given the object's id; it must tolerate running too late."""

    def register(function: Step) -> Step:
        _steps[name] = function
        return function

    return register


def schedule(
    name: str, object_id: str, *, after: float = 0.0, at: float | None = None, test_clock: str | None = None
) -> None:
    """Schedule a step `after` seconds from now, or `at` a time, in the sandbox's clock or in a test clock."""
    # A bank's answer to a payment of a test clock's customer does not wait for the test clock.
    now = clock.precise_now() if test_clock else clock.own_now()
    due_at = now + after if at is None else at
    step_of_object = {"name": name, "object_id": object_id, "due_at": due_at}
    whose = {"account": store.acting_account(), "test_clock": test_clock or ""}
    statements.insert_into(_TABLE, step_of_object | whose)
    transaction.on_commit(work_arrived.set)


def schedule_once(name: str, object_id: str, *, at: float) -> None:
    """Like `schedule`, unless the same step is already scheduled for the acting account."""
    same = f"SELECT 1 FROM {_TABLE} WHERE object_id = ? AND name = ? AND account = ?"  # noqa: S608
    if statements.run(same, (object_id, name, store.acting_account())).fetchone() is None:
        schedule(name, object_id, at=at)


def unschedule(name: str, object_id: str) -> None:
    """Remove a step that is no longer needed."""
    statements.run(f"DELETE FROM {_TABLE} WHERE object_id = ? AND name = ?", (object_id, name))  # noqa: S608


def run_due_steps() -> int:
    """Run all due steps in order of time, each in its own transaction. Returns the number of steps."""
    return _run_until(clock.wall, test_clock="")


def run_steps_of_test_clock(test_clock: str, *, until: float) -> int:
    """Run a test clock's steps that are due by `until`, in order of time. Returns the number of steps."""
    return _run_until(lambda: until, test_clock=test_clock)


def _run_until(moment: Callable[[], float], *, test_clock: str) -> int:
    done = 0
    with _running:
        while True:
            due = _first_due(moment(), test_clock)
            if due is None:
                return done
            _run(due)
            done += 1


def _first_due(moment: float, test_clock: str) -> ScheduledStep | None:
    first = "WHERE test_clock = ? AND due_at <= ? ORDER BY due_at, id LIMIT 1"
    row = statements.run(f"SELECT {_COLUMNS} FROM {_TABLE} {first}", (test_clock, moment)).fetchone()  # noqa: S608
    return ScheduledStep(*row) if row else None


def _run(due: ScheduledStep) -> None:
    # Removed in the transaction of the step itself, so a crash can repeat a step but not lose it.
    time_of_step = clock.at_test_clock if due.test_clock else clock.at
    try:
        with origin.no_request(), store.acting_for(due.account or None), time_of_step(due.due_at), store.writing():
            is_still_due = statements.run(f"DELETE FROM {_TABLE} WHERE id = ?", (due.pk,)).rowcount  # noqa: S608
            if is_still_due:  # Another thread may have unscheduled it while this one waited for the lock.
                _steps[due.name](due.object_id)
    except Exception:
        logger.exception("Step %s for %s failed and is abandoned.", due.name, due.object_id)
        ScheduledStep.objects.filter(pk=due.pk).delete()


def seconds_until_next() -> float | None:
    """Seconds until the next step, or None when nothing is scheduled."""
    (due_at,) = statements.run(f"SELECT min(due_at) FROM {_TABLE} WHERE test_clock = ?", ("",)).fetchone()  # noqa: S608
    return None if due_at is None else max(0.0, due_at - clock.wall())
