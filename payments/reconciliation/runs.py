"""Start runs, perform them piece by piece, and alert while Stripe and the books differ."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from jobs.models import WorkParked
from notifications.alerts import clear_alert, raise_alert
from payments.models import ReconciliationRun, ReconciliationTotal
from payments.own_account import retrieve_account_id
from payments.reconciliation.comparing import (
    compare_again_what_was_booked_meanwhile,
    compare_journals,
    compare_movements,
    compare_records,
)
from payments.reconciliation.progress import save_progress
from payments.reconciliation.repairs import repair_all
from payments.reconciliation.statement_reading import read_statement
from payments.reconciliation.totals import read_balance, store_totals

log = structlog.get_logger()

_ALERT = "reconciliation"
_Step = ReconciliationRun.Step


def request_run(  # noqa: PLR0913  # what is compared, and by whom
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    grace: timedelta = timedelta(0),
    repairs: ReconciliationRun.Repairs = ReconciliationRun.Repairs.NONE,
    requested_by_id: int | None = None,
    is_performed_here: bool = False,
) -> ReconciliationRun:
    """Write a run of [since, until), which a worker performs. What is younger than `grace` may still be under way.

    With `is_performed_here` the caller holds the claim and performs it; if the caller is killed, a worker goes on.
    """
    until = until or timezone.now()
    run = ReconciliationRun(
        since=since,
        until=until,
        settled_before=min(until, timezone.now() - grace),
        repairs=repairs,
        requested_by_id=requested_by_id,
        livemode=settings.STRIPE_LIVE_MODE,
    )
    with transaction.atomic():
        if is_performed_here:
            run.state, run.attempts = ReconciliationRun.State.RUNNING, 1
        run.save()
        if is_performed_here:
            ReconciliationRun.objects.filter(pk=run.pk).update(run_after=Now() + run.lease)
    run.refresh_from_db()
    return run


def advance_run(run: ReconciliationRun, *, seconds: float) -> bool:
    """Perform a claimed run from where it was for about `seconds`; whether it is finished. Outside transactions.

    Raises StripeUnreachable, WorkParked, or ClaimLost if another process has taken the run over.
    """
    stops_at = time.monotonic() + seconds
    if not run.account:
        save_progress(run, account=_own_account())
    while not run.is_finished:
        step = _Step(run.step)
        if not _PERFORMED[step](run, stops_at=stops_at):
            return False
        save_progress(run, step=_NEXT[step], cursor="")
    _alert_or_clear(run)
    return True


def _own_account() -> str:
    account = retrieve_account_id()
    if settings.STRIPE_ACCOUNT_ID and account != settings.STRIPE_ACCOUNT_ID:
        raise WorkParked(f"The API key belongs to {account}, not to {settings.STRIPE_ACCOUNT_ID}.")
    return account


def _add_up(run: ReconciliationRun, *, stops_at: float) -> bool:
    balance = read_balance(run)
    if not compare_again_what_was_booked_meanwhile(run, stops_at=stops_at):
        return False
    store_totals(run, balance=balance)
    return True


_PERFORMED: Mapping[ReconciliationRun.Step, Callable[..., bool]] = {
    _Step.STATEMENT: read_statement,
    _Step.MOVEMENTS: compare_movements,
    _Step.RECORDS: compare_records,
    _Step.JOURNALS: compare_journals,
    # Before the repairs, which change the books: the totals are those of what was found.
    _Step.TOTALS: _add_up,
    _Step.REPAIRS: repair_all,
}
_ORDER = [*_PERFORMED, _Step.FINISHED]
_NEXT = dict(pairwise(_ORDER))


def is_clean(run: ReconciliationRun) -> bool:
    """Whether a finished run left nothing to do: all is named, and what is named is repaired or needs no action."""
    totals = ReconciliationTotal.objects.filter(run=run)
    return all(total.is_explained for total in totals) and not run.differences.open().exists()


def _alert_or_clear(run: ReconciliationRun) -> None:
    """Alert staff to what a run left open. Only a clean run over all time ends the alert."""
    if is_clean(run):
        log.info("reconciled", run=run.pk, transactions=run.transactions_read, compared=run.compared)
        if run.since is None:
            clear_alert(key=_ALERT)
        return
    remainders = [f"{total.currency} {total.remainder_minor + total.unlisted_minor}" for total in run.totals.all()]
    raise_alert(
        key=_ALERT,
        title="Stripe's statement and the books differ",
        detail={
            "run": run.pk,
            "open differences": run.differences.open().count(),
            "remainder in minor units": ", ".join(remainders) or "none",
        },
    )
