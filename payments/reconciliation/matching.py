"""Compare both sides of one transaction and name each difference. Pure.

The findings of a group always add up to its difference: what no rule names is a remainder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from payments.reconciliation.charges import name_charge
from payments.reconciliation.groups import Finding, Group, Terms, as_cut_off, find, sums
from payments.reconciliation.kinds import DifferenceKind as Kind
from payments.reconciliation.movements import name_movements
from payments.reconciliation.refunds_and_disputes import awaits_return, name_dispute, name_refund
from payments.reconciliation.statement import Topic
from payments.reconciliation.transfers import name_transfer

# Bank debits are refunded within this time (docs: "Refunds", ACH and SEPA: 3 to 14 business days).
_LONGEST_PENDING: Final = timedelta(days=21)
_NAMES: Final[Mapping[Topic, Callable[[Group], list[Finding]]]] = {
    Topic.CHARGE: name_charge,
    Topic.REFUND: name_refund,
    Topic.DISPUTE: name_dispute,
    Topic.TRANSFER: name_transfer,
    Topic.PLATFORM_PAYOUT: name_movements,
    Topic.OTHER: name_movements,
}
# Booked from the statement itself, so no event can be under way.
_FROM_STATEMENT: Final = (Topic.PLATFORM_PAYOUT, Topic.OTHER)


def compare(group: Group, terms: Terms) -> list[Finding]:
    """The differences of one group. Their amounts add up to the difference of both sides within the period."""
    findings = _whole_group(group, terms)
    outside = _beyond_limits(group, terms)
    return findings + find(
        group,
        Kind.CUT_OFF,
        outside,
        detail="Stripe and the books have it on different sides of the period's limits.",
    )


def _whole_group(group: Group, terms: Terms) -> list[Finding]:
    if _is_of_other_mode(group, terms):
        findings = find(
            group,
            Kind.WRONG_MODE,
            group.deltas(),
            detail="the books have it, but this statement is of another account, or of Stripe's other mode.",
        )
    elif not group.movements:
        findings = _name_missing_at_stripe(group)
    else:
        findings = _NAMES[group.topic](group)
    findings += _remainder(group, findings)
    if _may_be_under_way(group, terms):
        return [as_cut_off(finding, why="an event about it may still be under way.") for finding in findings]
    return findings


def _is_of_other_mode(group: Group, terms: Terms) -> bool:
    modes = {record.livemode for record in group.records} - {None}
    return bool(modes - {terms.livemode}) or (group.is_foreign and not group.movements)


def _name_missing_at_stripe(group: Group) -> list[Finding]:
    record = group.record
    label = record.label if record else "no record of ours"
    findings = find(
        group, Kind.NOT_AT_STRIPE, group.deltas(), detail=f"{label}. Stripe's statement has no such transaction."
    )
    if findings or record is None or not record.is_done or not record.amount_minor or group.entries:
        return findings
    return [
        Finding(
            kind=Kind.NOT_AT_STRIPE,
            key=group.key,
            amount_minor=0,
            currency=record.currency,
            sentence=f"In the records only: {label}. Neither Stripe's statement nor the ledger has it.",
            order_number=record.order_number,
        )
    ]


def _remainder(group: Group, findings: list[Finding]) -> list[Finding]:
    rest = group.deltas()
    rest.subtract(sums((finding.currency, finding.amount_minor) for finding in findings))
    return find(group, Kind.REMAINDER, rest, detail="no known kind explains this amount.")


def _may_be_under_way(group: Group, terms: Terms) -> bool:
    if group.topic in _FROM_STATEMENT:
        return False
    if group.latest_at > terms.settled_before:
        return True
    is_pending = bool(group.record) and all(each.source_status == "pending" for each in group.movements)
    is_pending = is_pending or awaits_return(group)
    return bool(group.movements) and is_pending and group.latest_at > terms.settled_before - _LONGEST_PENDING


def _beyond_limits(group: Group, terms: Terms) -> Counter[str]:
    """What differs within the period only because of the period's limits."""
    within = group.deltas(terms)
    within.subtract(group.deltas())
    return within
