"""Claim due rows and do them."""

from __future__ import annotations

import time
import traceback

import structlog
from django.apps import apps
from django.db import connection

from jobs.models import DurableWork, WorkParked, WorkPostponed

log = structlog.get_logger()


def work_models() -> list[type[DurableWork]]:
    """Every concrete kind of durable work that is installed."""
    return [model for model in apps.get_models() if issubclass(model, DurableWork)]


def claim(model: type[DurableWork], *, limit: int) -> list[DurableWork]:
    """Take up to `limit` due rows for this worker until their lease ends. Rows another worker holds are passed over.

    One statement of its own: nothing stays locked while the work runs.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    rows = model._default_manager.raw(
        f"""
        UPDATE {table} SET state = 'running', attempts = attempts + 1,
               run_after = statement_timestamp() + %s
         WHERE id IN (
               SELECT id FROM {table}
                WHERE state IN ('waiting', 'running') AND run_after <= statement_timestamp()
                ORDER BY priority, run_after LIMIT %s
                  FOR UPDATE SKIP LOCKED)
        RETURNING *
        """,  # noqa: S608  # the table name is quoted and our own
        [model.lease, limit],
    )
    return sorted(rows, key=lambda work: (work.priority, work.pk))


def run(work: DurableWork) -> None:
    """Perform one claimed row and record how it went. Never raises for the work's own failure."""
    bound = log.bind(work=work._meta.label, id=work.pk, attempt=work.attempts)
    try:
        work.perform()
    except WorkPostponed as postponed:
        work.mark_postponed(str(postponed), postponed.delay)
        bound.info("work_postponed", reason=str(postponed))
    except WorkParked as refusal:
        _park(work, str(refusal))
    except Exception as error:  # one row's failure must not stop the others
        bound.warning("work_failed", error=repr(error))
        if work.attempts >= work.max_attempts:
            _park(work, traceback.format_exc())
        else:
            work.mark_failed(traceback.format_exc())
    else:
        if work.state != DurableWork.State.DONE:
            work.mark_done()


def _park(work: DurableWork, error: str) -> None:
    if work.mark_parked(error):
        log.error("work_parked", work=work._meta.label, id=work.pk, error=error.strip().splitlines()[-1])
        work.on_parked()


def drain(model: type[DurableWork], *, seconds: float) -> int:
    """Do due rows until there are none or the time is up; returns how many were run."""
    ends_at = time.monotonic() + seconds
    done = 0
    while time.monotonic() < ends_at:
        # One at a time: a batch would leave its tail leased to us while other workers idle.
        claimed = claim(model, limit=1)
        if not claimed:
            break
        run(claimed[0])
        done += 1
    return done
