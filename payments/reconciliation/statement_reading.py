"""Copy Stripe's balance transactions, page by page. Constant memory, and an interrupted reading continues."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import structlog

from notifications.alerts import raise_alert
from payments.models import ReconciliationRun, StripeMovement
from payments.reconciliation import gateway
from payments.reconciliation.progress import save_progress
from payments.reconciliation.statement import Claim, FeePart, Movement, read_movement

log = structlog.get_logger()

# Read again each time: a transaction may appear a little after later ones, and the state of its source may change.
_OVERLAP = timedelta(days=3)
# What may change after a transaction was first read, because it is read from the source.
_CHANGING = ["match_key", "payment_intent", "source_currency", "source_status", "claim", "available_at"]


def read_statement(run: ReconciliationRun, *, stops_at: float) -> bool:
    """Read what this run needs, newest first; False if the time was up before the end. Raises StripeUnreachable."""
    pages = gateway.list_balance_transaction_pages(created_from=_from(run), older_than=run.cursor)
    for page in pages:
        store_movements(page, account=run.account, livemode=run.livemode)
        save_progress(run, cursor=page[-1]["id"], transactions_read=run.transactions_read + len(page))
        if time.monotonic() >= stops_at:
            return False
    return True


def _from(run: ReconciliationRun) -> datetime | None:
    """The earliest moment that must be read: everything, until a run without limits has read all of it once."""
    whole = ReconciliationRun.objects.filter(
        account=run.account, livemode=run.livemode, state=ReconciliationRun.State.DONE
    )
    latest = whole.filter(pk__lt=run.pk).order_by("-pk").values_list("created_at", flat=True).first()
    if latest is None:
        return None
    return latest - _OVERLAP if run.since is None else min(run.since, latest - _OVERLAP)


def store_movements(page: Sequence[Mapping[str, Any]], *, account: str, livemode: bool) -> None:
    """Store transactions as Stripe lists them; those that are known only follow their source. Unusable ones alert."""
    rows = []
    for data in page:
        try:
            movement = read_movement(data)
        except (KeyError, TypeError, ValueError) as problem:
            _alert_unusable(data, problem)
        else:
            rows.append(_as_row(movement, account=account, livemode=livemode))
    StripeMovement.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["stripe_id"], update_fields=_CHANGING
    )


def _alert_unusable(data: Mapping[str, Any], problem: Exception) -> None:
    raise_alert(
        key="transaction-unusable",
        title="A transaction on Stripe's statement cannot be read",
        detail={"transaction": str(data.get("id"))[:100], "problem": repr(problem)[:200]},
    )


def _as_row(movement: Movement, *, account: str, livemode: bool) -> StripeMovement:
    return StripeMovement(
        stripe_id=movement.id,
        account=account,
        livemode=livemode,
        type=movement.type[:100],
        category=movement.category[:100],
        currency=movement.currency[:10],
        amount_minor=movement.amount_minor,
        fee_minor=movement.fee_minor,
        net_minor=movement.net_minor,
        happened_at=movement.created_at,
        available_at=movement.available_at,
        match_key=movement.key[:130],
        source=movement.source[:100],
        payment_intent=movement.payment_intent[:100],
        source_currency=movement.source_currency[:10],
        source_status=movement.source_status[:50],
        description=movement.description.replace("\x00", ""),
        fee_parts=[asdict(part) for part in movement.fee_parts],
        claim=asdict(movement.claim),
    )


def as_movement(row: StripeMovement) -> Movement:
    """The transaction as the pure rules take it."""
    return Movement(
        id=row.stripe_id,
        type=row.type,
        category=row.category,
        currency=row.currency,
        amount_minor=row.amount_minor,
        fee_minor=row.fee_minor,
        created_at=row.happened_at,
        available_at=row.available_at,
        key=row.match_key,
        source=row.source,
        payment_intent=row.payment_intent,
        source_currency=row.source_currency,
        source_status=row.source_status,
        description=row.description,
        fee_parts=tuple(FeePart(**part) for part in row.fee_parts),
        claim=Claim(**row.claim),
    )
