"""Revoke what lines delivered, at their domains, and count it on the lines."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from payments.earnings.books import follow_discounts
from payments.models import OrderLine
from payments.registry import UnknownDomain, handler_for


def revoke_units(
    *, line: OrderLine, quantity: int, reason: str, places: Sequence[str] = (), is_returned: bool = True
) -> int:
    """Revoke `quantity` more units of a delivered line, at most those it has left; returns how many were revoked.

    `places` are the keys of the units to revoke, as `CancellationTerms.places` names them; by default the last ones.
    `is_returned` is false if no refund returns these units, so that a later refund of others revokes those as well.
    `reason` is shown to the people concerned. Call with the order locked, and before any teacher's account is locked.
    """
    if line.state != OrderLine.State.FULFILLED:
        return 0
    revoked = min(quantity, line.quantity - line.revoked_quantity)
    if revoked <= 0:
        return 0
    line.revoked_quantity += revoked
    if not is_returned:
        line.unreturned_quantity += revoked
    if line.revoked_quantity == line.quantity:
        line.state = OrderLine.State.REVOKED
    # A domain that was removed has nothing left to revoke.
    with suppress(UnknownDomain):
        handler_for(line.domain).revoke(line.as_sold(), line.revoked_quantity, reason, places)
    line.save(update_fields=["state", "revoked_quantity", "unreturned_quantity"])
    if not line.amount_minor:
        # No refund follows that would take back what the platform paid for it.
        follow_discounts([line.pk])
    return revoked
