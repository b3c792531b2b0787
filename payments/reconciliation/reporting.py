"""What a run has found, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator

from payments.models import ReconciliationRun, ReconciliationTotal
from payments.reconciliation.groups import shown

# More would scroll the totals away; the admin lists all.
_DIFFERENCES_AT_MOST = 200


def progress_of(run: ReconciliationRun) -> str:
    """How far a run has come."""
    return f"{run.get_step_display()}: {run.transactions_read} transactions read, {run.compared} compared"


def lines_of(run: ReconciliationRun) -> Iterator[str]:
    """The totals and the differences of a finished run."""
    yield f"{run}: {run.transactions_read} transactions read, {run.compared} compared."
    for total in run.totals.all():
        yield from _lines_of_total(total)
    differences = run.differences.order_by("kind", "pk")
    for difference in differences[:_DIFFERENCES_AT_MOST]:
        state = "repaired" if difference.repaired_at else f"not repaired: {difference.repair_error}"
        yield f"  {difference.sentence}" + (f" [{state}]" if difference.repaired_at or difference.repair_error else "")
    left_out = differences.count() - _DIFFERENCES_AT_MOST
    if left_out > 0:
        yield f"  … and {left_out} more, see the admin."


def _lines_of_total(total: ReconciliationTotal) -> Iterator[str]:
    def text(minor: int) -> str:
        return shown(minor, total.currency)

    yield (
        f"{total.currency}: Stripe {text(total.stripe_minor)} ({text(total.pending_minor)} of it pending)"
        f" = ledger {text(total.ledger_minor)} + named {text(total.named_minor)}"
        f" + remainder {text(total.remainder_minor)}"
    )
    if total.unlisted_minor:
        yield f"{total.currency}: Stripe's balance differs from its own list by {text(total.unlisted_minor)}."
