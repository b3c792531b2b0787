"""What a payout to the platform's bank is made of. Pure: named items and the remainder add up to the payout, always."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from payments.reconciliation.kinds import KINDS
from payments.reconciliation.statement import Movement, Topic, own_kind_of

_TITLES = {
    "charge": "Charges",
    "charge_failure": "Charges that failed later",
    "refund": "Refunds",
    "refund_failure": "Refunds that failed",
    "partial_capture_reversal": "Amounts not captured",
    "dispute": "Disputes",
    "dispute_reversal": "Disputes won",
    "transfer": "Transfers to teachers",
    "transfer_reversal": "Transfers taken back",
    "payout": "Payouts",
    "payout_reversal": "Payouts returned",
    "platform_earning": "Application fees",
    "platform_earning_refund": "Application fees given back",
}
# For transactions whose category is missing or new, as far as their type says it.
_CATEGORY_OF_TYPE = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "payment_failure_refund": "charge_failure",
    "transfer": "transfer",
    "transfer_refund": "transfer_reversal",
    "payout_failure": "payout_reversal",
    "payout_cancel": "payout_reversal",
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
}
_FEES = "Stripe's fees"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSum:
    """The items of one kind, in minor units."""

    title: str
    count: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """A payout's parts. `unknown` are the items of no known kind, and belong to the remainder."""

    currency: str
    total_minor: int
    named: tuple[NamedSum, ...]
    unknown: tuple[Movement, ...]

    @property
    def named_minor(self) -> int:
        return sum(each.amount_minor for each in self.named)

    @property
    def remainder_minor(self) -> int:
        """What no named item explains: items of unknown kinds, and whatever Stripe does not list."""
        return self.total_minor - self.named_minor

    @property
    def unlisted_minor(self) -> int:
        """The part of the remainder that no item of Stripe's list explains."""
        return self.remainder_minor - sum(movement.net_minor for movement in self.unknown)


def compose(total_minor: int, currency: str, movements: Iterable[Movement]) -> Composition:
    """Divide the items of a payout by kind; fees, which Stripe takes off each item, are a kind of their own."""
    counts: dict[str, int] = {}
    amounts: dict[str, int] = {}
    unknown: list[Movement] = []
    for movement in movements:
        title = _title(movement) if movement.currency == currency else ""
        if not title:
            unknown.append(movement)
            continue
        parts = {title: movement.amount_minor}
        if movement.fee_minor:
            parts[_FEES] = parts.get(_FEES, 0) - movement.fee_minor
        for name, minor in parts.items():
            counts[name] = counts.get(name, 0) + 1
            amounts[name] = amounts.get(name, 0) + minor
    named = tuple(NamedSum(title=name, count=counts[name], amount_minor=amounts[name]) for name in amounts)
    return Composition(currency=currency, total_minor=total_minor, named=named, unknown=tuple(unknown))


def _title(movement: Movement) -> str:
    own = own_kind_of(movement)
    if own is not None:
        return KINDS[own].title
    title = _TITLES.get(movement.category) or _TITLES.get(_CATEGORY_OF_TYPE.get(movement.type, ""), "")
    return title or ("Disputes" if movement.topic == Topic.DISPUTE else "")
