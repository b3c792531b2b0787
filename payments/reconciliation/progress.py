"""Record how far a run has come."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from jobs.models import ClaimLost
from payments.models import ReconciliationRun


def save_progress(run: ReconciliationRun, **fields: Any) -> None:
    """Store `fields` and extend the claim on the run by its lease.

    Raises ClaimLost if another process has taken the run over: what was done in this transaction must roll back.
    """
    ours = ReconciliationRun.objects.filter(pk=run.pk, state=ReconciliationRun.State.RUNNING, run_after=run.run_after)
    if not ours.update(run_after=Now() + run.lease, **fields):
        raise ClaimLost(str(run))
    run.refresh_from_db(fields=["run_after", *fields])
