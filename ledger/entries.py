"""What callers write into a journal: amounts on accounts, by the accounts' natural keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from money import Money


class AccountKind(StrEnum):
    """The kinds of account. `chart.CHART` says what each means, and which exist once per teacher."""

    STRIPE_CLEARING = "stripe_clearing"
    STRIPE_RESERVE = "stripe_reserve"
    BANK = "bank"
    FUNDS_IN_DISPUTE = "funds_in_dispute"
    REFUNDS_TO_ALLOCATE = "refunds_to_allocate"
    CONVERSION = "conversion"
    UNEXPLAINED = "unexplained"
    TEACHER_PENDING = "teacher_pending"
    TEACHER_AVAILABLE = "teacher_available"
    TEACHER_HELD = "teacher_held"
    TEACHER_IN_PAYOUT = "teacher_in_payout"
    UNEARNED_CREDITS = "unearned_credits"
    SUBSCRIPTIONS_UNEARNED = "subscriptions_unearned"
    REFUNDS_DUE = "refunds_due"
    TAX_PAYABLE = "tax_payable"
    STRIPE_ADVANCE = "stripe_advance"
    PLATFORM_FEES = "platform_fees"
    PLATFORM_DISCOUNTS = "platform_discounts"
    PLATFORM_LOSSES = "platform_losses"
    STRIPE_FEES = "stripe_fees"
    DISPUTE_FEES = "dispute_fees"
    PAYOUT_FEES = "payout_fees"


class JournalKind(StrEnum):
    """The kinds of journal. Callers may use others."""

    SALE = "sale"
    SECOND_PAYMENT = "second_payment"
    STRIPE_FEE = "stripe_fee"
    CONVERSION = "conversion"
    MATURITY = "maturity"
    REFUND_HELD = "refund_held"
    REFUND = "refund"
    REFUND_ALLOCATED = "refund_allocated"
    REFUND_FAILED = "refund_failed"
    REFUND_RELEASED = "refund_released"
    DISCOUNT_RECLAIMED = "discount_reclaimed"
    DISPUTE_WITHDRAWN = "dispute_withdrawn"
    DISPUTE_HELD = "dispute_held"
    DISPUTE_LOST = "dispute_lost"
    DISPUTE_REINSTATED = "dispute_reinstated"
    DISPUTE_RELEASED = "dispute_released"
    SUBSCRIPTION_DEFERRED = "subscription_deferred"
    SUBSCRIPTION_RELEASED = "subscription_released"
    CREDIT_EARNED = "credit_earned"
    ACCESS_EARNED = "access_earned"
    PAYOUT_REQUESTED = "payout_requested"
    PAYOUT_PAID = "payout_paid"
    PAYOUT_FAILED = "payout_failed"
    PAYOUT_DECLINED = "payout_declined"
    PAYOUT_RETURNED = "payout_returned"
    STRIPE_MOVEMENT = "stripe_movement"
    REVERSAL = "reversal"
    CORRECTION = "correction"


class Unbalanced(ValueError):
    """The entries of a journal do not add up to zero in each currency."""


class AccountKey(NamedTuple):
    """What identifies an account: its kind, its currency, and its teacher if there is one account per teacher."""

    kind: AccountKind
    teacher_id: int | None
    currency: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An amount on an account. Debits are positive, credits negative."""

    kind: AccountKind
    amount: Money
    teacher_id: int | None = None

    @property
    def account(self) -> AccountKey:
        return AccountKey(self.kind, self.teacher_id, self.amount.currency)


def debit(kind: AccountKind, amount: Money, teacher_id: int | None = None) -> Entry:
    """An amount of zero or more on the debit side. Raises ValueError for a negative one."""
    return Entry(kind, _not_negative(amount), teacher_id)


def credit(kind: AccountKind, amount: Money, teacher_id: int | None = None) -> Entry:
    """An amount of zero or more on the credit side. Raises ValueError for a negative one."""
    return Entry(kind, _not_negative(amount) * -1, teacher_id)


def net_amounts(entries: Iterable[Entry]) -> dict[AccountKey, int]:
    """The sum for each account in minor units, debits positive, without those of zero, in the order of their keys.

    Raises Unbalanced unless these add up to zero in each currency.
    """
    net: dict[AccountKey, int] = {}
    totals: dict[str, int] = {}
    for entry in entries:
        net[entry.account] = net.get(entry.account, 0) + entry.amount.minor
        totals[entry.amount.currency] = totals.get(entry.amount.currency, 0) + entry.amount.minor
    refuse_unbalanced(totals)
    return {key: net[key] for key in sorted(net, key=_in_order) if net[key]}


def refuse_unbalanced(totals: Mapping[str, int]) -> None:
    """Raise Unbalanced if a total, in minor units by currency, is not zero."""
    wrong = [str(Money(minor, currency)) for currency, minor in sorted(totals.items()) if minor]
    if wrong:
        raise Unbalanced(f"Debits exceed credits by {', '.join(wrong)}.")


def _not_negative(amount: Money) -> Money:
    if amount.minor < 0:
        raise ValueError(f"{amount} is negative; use the other side")
    return amount


def _in_order(key: AccountKey) -> tuple[str, int, str]:
    return key.kind, key.teacher_id or 0, key.currency
