"""Name what only Stripe moves: payouts to the platform's bank, reserves, advances, fees of the account. Pure."""

from __future__ import annotations

from payments.reconciliation.groups import Finding, Group, find, sums
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.kinds import Repair
from payments.reconciliation.statement import Movement, Topic, own_kind_of

_RETURNED_PAYOUTS = ("payout_failure", "payout_cancel")
_DISPUTES = ("dispute", "dispute_reversal")


def name_movements(group: Group) -> list[Finding]:
    """The differences of transactions that are each booked by themselves, as `stripe:<transaction>`."""
    return [finding for movement in group.movements for finding in _name_movement(group, movement)]


def _name_movement(group: Group, movement: Movement) -> list[Finding]:
    booked = group.booked_of_movement(movement.id)
    left = sums([(movement.currency, movement.net_minor)])
    left.subtract(booked)
    if not any(left.values()):
        return []
    kind = kind_of_movement(movement)
    if any(booked.values()):
        if left == sums([(movement.currency, -movement.fee_minor)]):
            return _name_fee(group, movement)
        detail = f"{movement.id} is not what the ledger has booked."
        return find(group, Kind.AMOUNT_DIFFERS, left, movement=movement, detail=detail)
    detail = movement.description or f"{movement.type or 'no type'}, {movement.category or 'no category'}"
    if group.topic != Topic.PLATFORM_PAYOUT or not movement.fee_minor:
        return find(group, kind, left, movement=movement, detail=detail)
    gross = sums([(movement.currency, movement.amount_minor)])
    return find(group, kind, gross, movement=movement, detail=detail) + _name_fee(group, movement)


def _name_fee(group: Group, movement: Movement) -> list[Finding]:
    """A payout costs a fee only if it is an instant one."""
    fee = sums([(movement.currency, -movement.fee_minor)])
    kind = Kind.INSTANT_PAYOUT_FEE if group.topic == Topic.PLATFORM_PAYOUT else Kind.MISSING_FEE
    detail = f"{movement.id} cost a fee that is not booked."
    return find(group, kind, fee, movement=movement, detail=detail, repair=Repair.BOOK_MOVEMENT)


def kind_of_movement(movement: Movement) -> Kind:
    """The kind of a transaction that belongs to no payment, refund, dispute or transfer of ours."""
    own = own_kind_of(movement)
    if own is not None:
        return own
    if movement.topic == Topic.PLATFORM_PAYOUT and movement.type in ("payout", *_RETURNED_PAYOUTS):
        return Kind.PLATFORM_PAYOUT if movement.type == "payout" and movement.amount_minor < 0 else Kind.FAILED_PAYOUT
    if movement.category in _DISPUTES:
        return Kind.DISPUTE_NOT_BOOKED
    return Kind.UNKNOWN_TYPE
