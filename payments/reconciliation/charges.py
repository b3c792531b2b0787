"""Name the differences of a charge: the sale, Stripe's fee, and the conversion into the account's currency. Pure."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from payments.reconciliation.book_items import Part
from payments.reconciliation.groups import Finding, Group, find, sums
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.kinds import Repair
from payments.reconciliation.statement import FeePart, Movement


def name_charge(group: Group) -> list[Finding]:
    """The differences of a group whose statement has a charge."""
    record = group.record
    if record is None and group.twin:
        detail = f"Stripe has {group.key}, and {group.twin} for the same payment."
        return find(group, Kind.DOUBLE, group.deltas(), detail=detail)
    if record is None:
        return find(group, Kind.OUTSIDE_CHARGE, group.deltas(), detail="no order of this site belongs to the payment.")
    if not group.booked(Part.SALE):
        kind = Kind.NOT_BOOKED if record.is_done else Kind.MISSING_EVENT
        detail = f"{record.label}. Stripe has the money, but the ledger has no sale."
        return find(group, kind, group.deltas(), detail=detail, repair=Repair.LOOK_AT_PAYMENT)
    income = [movement for movement in group.movements if movement.amount_minor >= 0]
    others = [movement for movement in group.movements if movement not in income]
    findings = [finding for movement in others for finding in _name_return(group, movement)]
    findings += [finding for movement in income[1:] for finding in _name_double(group, movement)]
    findings += _name_double_sales(group)
    if income:
        findings += _name_gross(group, income[0]) + name_fee(group, income[0], booked=_booked_fee(group, income[0]))
    return findings


def _name_return(group: Group, movement: Movement) -> list[Finding]:
    return find(
        group,
        Kind.PAYMENT_RETURNED,
        _unbooked(group, movement),
        movement=movement,
        detail=f"{movement.description or movement.type} {movement.id}.",
    )


def _name_double(group: Group, movement: Movement) -> list[Finding]:
    return find(
        group,
        Kind.DOUBLE,
        _unbooked(group, movement),
        movement=movement,
        detail=f"Stripe lists {movement.id} besides {group.movements[0].id} for the same payment.",
    )


def _unbooked(group: Group, movement: Movement) -> Counter[str]:
    left = sums([(movement.currency, movement.net_minor)])
    left.subtract(group.booked_of_movement(movement.id))
    return left


def _name_double_sales(group: Group) -> list[Finding]:
    """The sales beyond the first of one charge: the books have more than Stripe."""
    findings: list[Finding] = []
    for source in group.sources(Part.SALE)[1:]:
        booked = sums((entry.currency, -entry.amount_minor) for entry in group.entries if entry.source == source)
        detail = f"the ledger has {source} besides {group.sources(Part.SALE)[0]} for one charge."
        findings += find(group, Kind.DOUBLE, booked, detail=detail, source=source)
    return findings


def _name_gross(group: Group, movement: Movement) -> list[Finding]:
    first = group.sources(Part.SALE)[0]
    entries = [entry for entry in group.entries if entry.source == first or entry.part == Part.CONVERSION]
    left = sums([(movement.currency, movement.amount_minor)])
    left.subtract(sums((entry.currency, entry.amount_minor) for entry in entries))
    sold_in = {entry.currency for entry in entries if entry.part == Part.SALE}
    is_converted = movement.currency not in sold_in and movement.source_currency in sold_in
    if is_converted:
        detail = f"{movement.id} arrived in {movement.currency} for a sale in {movement.source_currency}."
        return find(group, Kind.CONVERSION_RESIDUE, left, movement=movement, detail=detail)
    return find(
        group, Kind.AMOUNT_DIFFERS, left, movement=movement, detail=f"{movement.id} is not what {first} has booked."
    )


def _booked_fee(group: Group, movement: Movement) -> Counter[str]:
    fees = group.booked(Part.FEE)
    # Further parts of a fee are booked from the statement. `update` adds, and unlike `+` keeps negative sums.
    fees.update(group.booked_of_movement(movement.id))
    return fees


def name_fee(
    group: Group, movement: Movement, *, booked: Counter[str], repair: Repair = Repair.LOOK_UP_CHARGE
) -> list[Finding]:
    """The difference between Stripe's fee for a movement and what the books have of it (negative)."""
    left = sums([(movement.currency, -movement.fee_minor)])
    left.subtract(booked)
    if not any(left.values()):
        return []
    if not any(booked.values()):
        detail = f"{movement.id} cost a fee that is not booked."
        return find(group, Kind.MISSING_FEE, left, movement=movement, detail=detail, repair=repair)
    if _is_sum_of_some(-booked[movement.currency], movement.fee_parts):
        named = ", ".join(part.description or part.kind for part in movement.fee_parts)
        detail = f"the fee of {movement.id} has the parts {named}, of which only some are booked."
        return find(group, Kind.FURTHER_FEES, left, movement=movement, detail=detail)
    detail = f"the fee of {movement.id} is not the fee that is booked."
    return find(group, Kind.AMOUNT_DIFFERS, left, movement=movement, detail=detail)


def _is_sum_of_some(minor: int, parts: tuple[FeePart, ...]) -> bool:
    """Whether some of the parts, but not all, add up to the amount. Stripe's fees have at most a handful of parts."""
    amounts = [part.amount_minor for part in parts[:8]]
    return any(minor == sum(some) for size in range(1, len(amounts)) for some in combinations(amounts, size))
