"""Add both sides up, independently of the comparison: what it missed shows as a remainder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet, Sum

from payments.models import Difference, ReconciliationRun, ReconciliationTotal, StripeMovement
from payments.reconciliation import gateway
from payments.reconciliation.comparing import clearing_of, movements_of
from payments.reconciliation.kinds import DifferenceKind
from payments.reconciliation.statement_reading import store_movements

_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Stripe's own balance by currency in minor units, and what its list of transactions adds up to at that moment."""

    reported: Mapping[str, int]
    listed: Mapping[str, int]


def read_balance(run: ReconciliationRun) -> Balance | None:
    """Stripe's balance at a moment of which the statement is complete; None for a run that has a beginning.

    Raises StripeUnreachable. On a busy account the statement grows between two calls, which is no gap in it.
    """
    if run.since is not None:
        return None
    for _ in range(_TRIES):
        before = gateway.retrieve_balance()
        for page in gateway.list_balance_transaction_pages(created_from=run.created_at):
            store_movements(page, account=run.account, livemode=run.livemode)
        reported = gateway.retrieve_balance()
        if before == reported:
            break
    own = StripeMovement.objects.filter(account=run.account, livemode=run.livemode)
    return Balance(reported=reported, listed=_by_currency(own, "currency", "net_minor"))


def store_totals(run: ReconciliationRun, *, balance: Balance | None) -> list[ReconciliationTotal]:
    """Write the totals of a run whose comparison is complete; a repeat replaces them."""
    moved = movements_of(run)
    named = Difference.objects.filter(run=run).exclude(kind=DifferenceKind.REMAINDER)
    sums = {
        "stripe_minor": _by_currency(moved, "currency", "net_minor"),
        "pending_minor": _by_currency(moved.filter(available_at__gt=run.until), "currency", "net_minor"),
        "ledger_minor": _by_currency(clearing_of(run), "account__currency", "amount_minor"),
        "named_minor": _by_currency(named, "currency", "amount_minor"),
    }
    reported = balance.reported if balance else {}
    currencies = sorted({*reported, *(currency for each in sums.values() for currency in each)})
    totals = []
    for currency in currencies:
        total = ReconciliationTotal(
            run=run, currency=currency, **{name: each.get(currency, 0) for name, each in sums.items()}
        )
        total.remainder_minor = total.stripe_minor - total.ledger_minor - total.named_minor
        if balance:
            total.balance_minor = balance.reported.get(currency, 0)
            total.unlisted_minor = total.balance_minor - balance.listed.get(currency, 0)
        totals.append(total)
    with transaction.atomic():
        ReconciliationTotal.objects.filter(run=run).delete()
        ReconciliationTotal.objects.bulk_create(totals)
    return totals


def _by_currency(rows: QuerySet, currency: str, amount: str) -> dict[str, int]:  # type: ignore[type-arg]
    sums = rows.order_by().values_list(currency).annotate(total=Sum(amount))
    return {code: int(total) for code, total in sums}
