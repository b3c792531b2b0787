"""Name the differences of transfers to teachers and their reversals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from payments.reconciliation.book_items import Part
from payments.reconciliation.found_records import as_uuid
from payments.reconciliation.groups import Finding, Group, find, sums
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.kinds import Repair
from payments.reconciliation.statement import Movement

# The transfer itself failed or was cancelled, which Stripe reports without a reversal.
_FAILURES = ("transfer_failure", "transfer_cancel")


def name_transfer(group: Group) -> list[Finding]:
    """The differences of a group whose statement has a transfer, or money that came back from one."""
    record = group.record
    if record is None:
        if group.twin:
            detail = f"Stripe has {group.key}, and {group.twin} for the same payout."
            return find(group, Kind.DOUBLE, group.deltas(), detail=detail)
        if any(as_uuid(movement.claim.payout) for movement in group.movements):
            detail = f"the payout that {group.key} names is not recorded here."
            return find(group, Kind.TRANSFER_NOT_HERE, group.deltas(), detail=detail)
        return find(group, Kind.TRANSFER_BY_HAND, group.deltas(), detail=f"no payout belongs to {group.key}.")
    sent = [movement for movement in group.movements if movement.amount_minor < 0]
    returned = [movement for movement in group.movements if movement.amount_minor >= 0]
    missing = Kind.NOT_BOOKED if record.is_done else Kind.MISSING_EVENT
    findings = _name_part(group, sent, Part.TRANSFER, missing=missing, label=record.label)
    has_failed = any(movement.type in _FAILURES for movement in returned)
    missing = Kind.FAILED_PAYOUT if has_failed else Kind.REVERSAL_BY_HAND
    return findings + _name_part(group, returned, Part.RETURN, missing=missing, label=record.label)


def _name_part(group: Group, movements: Sequence[Movement], part: Part, *, missing: Kind, label: str) -> list[Finding]:
    booked = group.booked(part)
    left = sums((movement.currency, movement.net_minor) for movement in movements)
    left.subtract(booked)
    first = movements[0] if movements else None
    if movements and not booked:
        detail = f"{label}. {movements[0].id} of Stripe's statement is not in the ledger."
        return find(group, missing, left, movement=first, detail=detail, repair=Repair.FETCH_TRANSFER)
    if booked and not movements:
        detail = f"{label}. Stripe's statement has no such transaction."
        return find(group, Kind.NOT_AT_STRIPE, left, detail=detail)
    return find(group, Kind.AMOUNT_DIFFERS, left, movement=first, detail=f"{label}. The ledger has another amount.")
