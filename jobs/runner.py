"""Claim due rows and perform them."""

from __future__ import annotations

import contextlib
import time
import traceback
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import DataError, connection, transaction
from django.db import Error as DatabaseTrouble
from django.db.models import QuerySet

from jobs import registry
from jobs.models import ClaimLost, DurableWork, WorkParked, WorkPostponed
from jobs.signals import work_ended

log = structlog.get_logger(__name__)

URGENT_QUEUE = "urgent"
_GIVE_WAY_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.1
# The largest number the column holds; counting beyond it would fail every claim that includes the row.
_ATTEMPTS_AT_MOST = 32_767
# Characters kept of an error, which may quote a megabyte of input.
_LOGGED_AT_MOST = 500


class _Claim(NamedTuple):
    """A claimed row's id and lease, known before its content is read."""

    pk: int
    run_after: datetime


def claim(model: type[DurableWork], *, limit: int) -> list[DurableWork]:
    """Claim up to `limit` due rows for this worker until their lease ends. Rows that another worker holds are skipped.

    A row that cannot be loaded is parked and not returned.
    """
    loaded = [_load(model, claimed) for claimed in _take(model, limit=limit)]
    return sorted(filter(None, loaded), key=lambda work: (work.priority, work.pk))


def _take(model: type[DurableWork], *, limit: int) -> list[_Claim]:
    """Claim rows without reading their content, because one unreadable row would fail the whole claim.

    One statement of its own: nothing stays locked while the work runs. It does not wait for the disk, since a claim the
    server loses in a crash costs nothing: the row is due again, and the fence keeps its former worker from finishing.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    lane = "".join(f" AND {connection.ops.quote_name(column)} = %s" for column in model.lane)
    parameters: list[Any] = [*model.lane.values(), limit, model.lease]
    # MATERIALIZED: otherwise PostgreSQL may run the inner query once per outer row and claim more than the limit.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH unhurried AS MATERIALIZED (
                 SELECT set_config('synchronous_commit', 'off', true)),
                 picked AS MATERIALIZED (
                 SELECT id FROM {table}
                  WHERE state IN ('waiting', 'running') AND run_after <= statement_timestamp(){lane}
                  ORDER BY priority, run_after LIMIT %s
                    FOR UPDATE SKIP LOCKED)
            UPDATE {table} AS work SET state = 'running', attempts = LEAST(work.attempts + 1, {_ATTEMPTS_AT_MOST}),
                   run_after = statement_timestamp() + %s
              FROM picked, unhurried WHERE work.id = picked.id
            RETURNING work.id, work.run_after
            """,  # noqa: S608  # names are quoted and our own
            parameters,
        )
        return [_Claim(*row) for row in cursor.fetchall()]


def _load(model: type[DurableWork], claimed: _Claim) -> DurableWork | None:
    """The claimed row; None if the claim is already lost or the row cannot be loaded, in which case it is parked."""
    table = connection.ops.quote_name(model._meta.db_table)
    try:
        rows = list(
            model._default_manager.raw(
                f"SELECT * FROM {table} WHERE id = %s AND state = 'running' AND run_after = %s",  # noqa: S608
                [claimed.pk, claimed.run_after],
            )
        )
    except Exception as error:
        # Numbers or nesting beyond what Python reads, dates beyond its calendar: it would fail the same way each time.
        if isinstance(error, DatabaseTrouble) and not isinstance(error, DataError):
            raise
        _park_unloadable(model, claimed, error)
        return None
    return rows[0] if rows else None


def _park_unloadable(model: type[DurableWork], claimed: _Claim, error: Exception) -> None:
    """Park a row, loading only the columns that can be read."""
    row = model._default_manager.filter(pk=claimed.pk)
    readable = [field.name for field in model._meta.concrete_fields if _can_be_read(row, field.attname)]
    work = row.only(*readable).get()
    work.run_after = claimed.run_after
    with contextlib.suppress(ClaimLost):
        _park(work, f"The row cannot be loaded: {error!r}")


def _can_be_read(row: QuerySet[DurableWork], column: str) -> bool:
    try:
        row.values_list(column).get()
    except (DataError, ValueError, RecursionError):
        return False
    return True


def run(work: DurableWork) -> None:
    """Perform one claimed row and record the outcome. Never raises for a failure of the work itself."""
    began = time.monotonic()
    with structlog.contextvars.bound_contextvars(work=work._meta.label, work_id=work.pk, attempt=work.attempts):
        try:
            outcome = _perform_and_record(work)
        except ClaimLost:
            outcome = "lost"
            log.warning("claim_lost")
    work_ended.send(type(work), work=work, outcome=outcome, seconds=time.monotonic() - began)


def _perform_and_record(work: DurableWork) -> str:
    """Perform a row and record the outcome, which is returned in a word. Raises ClaimLost."""
    if work.attempts > work.max_attempts:
        # The last attempt never recorded an outcome: this row kills its worker each time.
        return _park(work, f"The worker was lost in each of {work.max_attempts} attempts. {work.last_error}")
    try:
        registry.performer_of(type(work)).perform(work)
        if work.state == DurableWork.State.RUNNING:
            work.mark_done()
    except ClaimLost:
        raise
    except WorkPostponed as postponed:
        return _postpone(work, postponed)
    except WorkParked as refusal:
        return _park(work, str(refusal))
    except Exception as error:  # noqa: BLE001  # one row's failure must not stop the others
        log.warning("work_failed", error=repr(error)[:_LOGGED_AT_MOST])
        if work.attempts >= work.max_attempts:
            return _park(work, traceback.format_exc())
        work.mark_failed(traceback.format_exc())
    return _recorded_outcome(work)


def _recorded_outcome(work: DurableWork) -> str:
    if work.state == DurableWork.State.WAITING:
        # It failed, or the performer moved it to another lane.
        return "failed" if work.last_error else "moved"
    return "done"


def _postpone(work: DurableWork, postponed: WorkPostponed) -> str:
    if work.postponements >= work.max_postponements:
        return _park(work, f"Too early {work.postponements + 1} times: {postponed}")
    work.mark_postponed(str(postponed), postponed.delay)
    log.info("work_postponed", reason=str(postponed)[:_LOGGED_AT_MOST])
    return "postponed"


def _park(work: DurableWork, error: str) -> str:
    with transaction.atomic():
        work.mark_parked(error)
        try:
            with transaction.atomic():
                registry.performer_of(type(work)).when_parked(work)
        except Exception:  # a mistake in raising an alert must not bring a hopeless row back again and again
            log.exception("when_parked_failed")
    log.error("work_parked", error=error.strip().rpartition("\n")[2][:_LOGGED_AT_MOST])
    return "parked"


def give_way(model: type[DurableWork], *, until: float) -> None:
    """Let work that people wait for go first: mails and mirrors pause while urgent work is due, but not for ever.

    Lowering the process's priority is not enough: PostgreSQL runs its statements at full priority.
    """
    if model.queue == URGENT_QUEUE:
        return
    urgent = [kind for kind in registry.work_models() if kind.queue == URGENT_QUEUE]
    while time.monotonic() < until and any(kind.due().exists() for kind in urgent):
        time.sleep(_LOOK_AGAIN_SECONDS)


def drain(model: type[DurableWork], *, seconds: float) -> int:
    """Perform due rows until there are none or the time is up; returns how many were claimed.

    Returns early when the database goes away: claimed rows become due again when their lease ends, and the next drain
    starts on a fresh connection.
    """
    ends_at = time.monotonic() + seconds
    gives_way_until = time.monotonic() + _GIVE_WAY_SECONDS
    done = 0
    try:
        while time.monotonic() < ends_at:
            give_way(model, until=gives_way_until)
            # One at a time: the rest of a batch would stay leased to this worker while others are idle.
            claims = _take(model, limit=1)
            if not claims:
                break
            work = _load(model, claims[0])
            if work is not None:
                run(work)
            done += 1
    except DatabaseTrouble as trouble:
        log.warning("drain_lost_database", work=model._meta.label, error=repr(trouble))
        connection.close()
    return done
