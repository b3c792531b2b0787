"""Name the differences of refunds and disputes. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from payments.reconciliation.book_items import Part, Record
from payments.reconciliation.charges import name_fee
from payments.reconciliation.groups import Finding, Group, find, sums
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.kinds import Repair
from payments.reconciliation.statement import Movement, Topic


def name_refund(group: Group) -> list[Finding]:
    """The differences of a group whose statement has a refund, or the return of one that failed."""
    record = group.record
    if record is None:
        return _name_unrecorded(group)
    given = [movement for movement in group.movements if movement.amount_minor < 0]
    returned = [movement for movement in group.movements if movement.amount_minor >= 0]
    if given and returned and record.has_ended and not record.is_done:
        return _name_round_trip(group, record, [given[0], *returned]) + _name_doubles(group, given) + _name_fees(group)
    findings = _name_given(group, record, given)
    if returned:
        findings += _name_part(group, returned, Part.REFUND_FAILURE, missing=Kind.REFUND_FAILED, label=record.label)
    return findings + _name_fees(group)


def _name_round_trip(group: Group, record: Record, movements: Sequence[Movement]) -> list[Finding]:
    """A refund that failed while it was pending is in Stripe's balance twice, and in the books only as a spread."""
    left = sums((movement.currency, movement.amount_minor) for movement in movements)
    left.subtract(group.booked(Part.REFUND, Part.CONVERSION, Part.REFUND_FAILURE))
    first, last = movements[0], movements[-1]
    is_converted = first.currency != record.currency
    detail = f"{record.label}. It failed while pending: {last.id} did not bring back what {first.id} had taken."
    return find(
        group,
        Kind.CONVERSION_RESIDUE if is_converted else Kind.AMOUNT_DIFFERS,
        left,
        movement=last,
        detail=detail,
        repair=Repair.FETCH_REFUND if is_converted else Repair.NONE,
    )


def _name_fees(group: Group) -> list[Finding]:
    """Stripe charges a fee for refunds in few countries only, with the refund itself; it may return it with the money."""
    findings: list[Finding] = []
    parts = {"given": Part.FEE, "returned": Part.FAILURE_FEE}
    for movement in group.movements:
        booked = group.booked_of_movement(movement.id)
        # The first movement of each direction has the fee of that direction.
        part = parts.pop("given" if movement.amount_minor < 0 else "returned", None)
        if part:
            booked.update(group.booked(part))
        findings += name_fee(group, movement, booked=booked, repair=Repair.FETCH_REFUND)
    return findings


def awaits_return(group: Group) -> bool:
    """Whether a refund failed while it was pending, and Stripe has not given its money back yet."""
    record = group.record
    if record is None or group.topic != Topic.REFUND or record.is_done or not record.has_ended:
        return False
    return all(movement.amount_minor < 0 for movement in group.movements)


def _name_unrecorded(group: Group) -> list[Finding]:
    first = group.movements[0]
    if group.twin:
        detail = f"Stripe has {group.key}, and {group.twin} with the same key of ours."
        return find(group, Kind.DOUBLE, group.deltas(), detail=detail)
    if not group.order_number:
        detail = f"{first.source} refunds a payment that belongs to no order of this site."
        return find(group, Kind.OUTSIDE_CHARGE, group.deltas(), detail=detail)
    kind = Kind.REFUND_NOT_HERE if first.claim.refund else Kind.REFUND_BY_HAND
    return find(group, kind, group.deltas(), detail=f"{first.source} is not recorded here.")


def _name_given(group: Group, record: Record, given: Sequence[Movement]) -> list[Finding]:
    if not given:
        booked = group.booked(Part.REFUND)
        minus = sums((currency, -minor) for currency, minor in booked.items())
        return find(group, Kind.NOT_AT_STRIPE, minus, detail=f"{record.label}. Stripe only has the return of it.")
    missing = Kind.NOT_BOOKED if record.is_done else Kind.MISSING_EVENT
    return _name_doubles(group, given) + _name_part(group, given[:1], Part.REFUND, missing=missing, label=record.label)


def _name_doubles(group: Group, given: Sequence[Movement]) -> list[Finding]:
    return [
        finding
        for movement in given[1:]
        for finding in find(
            group,
            Kind.DOUBLE,
            sums([(movement.currency, movement.amount_minor)]),
            movement=movement,
            detail=f"Stripe lists {movement.id} besides {given[0].id} for the same refund.",
        )
    ]


def _name_part(group: Group, movements: Sequence[Movement], part: Part, *, missing: Kind, label: str) -> list[Finding]:
    # What was converted leaves one currency and enters the other in a journal of its own.
    booked = group.booked(part)
    has_part = bool(booked)
    if part == Part.REFUND:
        booked.update(group.booked(Part.CONVERSION))
    left = sums((movement.currency, movement.amount_minor) for movement in movements)
    left.subtract(booked)
    first = movements[0]
    if not has_part:
        detail = f"{label}. {first.id} of Stripe's statement is not in the ledger."
        return find(group, missing, left, movement=first, detail=detail, repair=Repair.FETCH_REFUND)
    sold_in = group.booked(part)
    is_converted = first.currency not in sold_in and first.source_currency in sold_in
    kind = Kind.CONVERSION_RESIDUE if is_converted else Kind.AMOUNT_DIFFERS
    detail = f"{label}. {first.id} is not what the ledger has booked."
    repair = Repair.FETCH_REFUND if is_converted else Repair.NONE
    return find(group, kind, left, movement=first, detail=detail, repair=repair)


def name_dispute(group: Group) -> list[Finding]:
    """The differences of a group whose statement has adjustments for a dispute; amount and fee together."""
    booked = group.sources(Part.DISPUTE, Part.MOVEMENT)
    names = ", ".join(movement.id for movement in group.movements)
    if not booked and not group.records:
        return find(group, Kind.DISPUTE_NOT_BOOKED, group.deltas(), detail=f"{names} for {group.key}.")
    if len(booked) < len(group.movements):
        detail = f"{len(group.movements)} adjustments for {group.key}, of which {len(booked)} are booked."
        return find(group, Kind.MISSING_EVENT, group.deltas(), detail=detail, repair=Repair.FETCH_DISPUTE)
    if len(booked) > len(group.movements):
        detail = f"{len(booked)} journals for {group.key}, but Stripe has {len(group.movements)} adjustments."
        return find(group, Kind.DOUBLE, group.deltas(), detail=detail)
    detail = f"{names} for {group.key} are not what the ledger has booked."
    return find(group, Kind.AMOUNT_DIFFERS, group.deltas(), detail=detail)
