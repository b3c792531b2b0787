"""The chart of accounts: what each kind means, on which side it normally stands, whether each teacher has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ledger.entries import AccountKey, AccountKind
from money import Money


class Side(StrEnum):
    """The side on which an account's amounts are positive for readers."""

    DEBIT = "debit"
    CREDIT = "credit"


class Nature(StrEnum):
    """Where an account belongs in the financial statements."""

    ASSET = "asset"
    LIABILITY = "liability"
    INCOME = "income"
    COST = "cost"
    SUSPENSE = "suspense"

    @property
    def normal_side(self) -> Side:
        return Side.CREDIT if self in {Nature.LIABILITY, Nature.INCOME} else Side.DEBIT


class AccountDoesNotFit(ValueError):
    """An account of one per teacher was named without a teacher, or another with one."""


@dataclass(frozen=True, slots=True)
class AccountType:
    """One line of the chart."""

    title: str
    meaning: str
    nature: Nature
    is_per_teacher: bool = False

    @property
    def normal_side(self) -> Side:
        return self.nature.normal_side

    def as_read(self, debit_minor: int, currency: str) -> Money:
        """The amount as readers see it: positive on the normal side, so what a teacher is owed is positive."""
        return Money(debit_minor if self.normal_side is Side.DEBIT else -debit_minor, currency)


_K, _N = AccountKind, Nature
CHART: Mapping[AccountKind, AccountType] = MappingProxyType(
    {
        _K.STRIPE_CLEARING: AccountType(
            "Stripe balance",
            "The platform's money at Stripe, pending and available together, in the currency in which Stripe keeps it.",
            _N.ASSET,
        ),
        _K.STRIPE_RESERVE: AccountType(
            "Reserve at Stripe", "Money that Stripe sets aside from the balance and releases later.", _N.ASSET
        ),
        _K.BANK: AccountType(
            "Bank",
            "The platform's own bank account: Stripe's payouts arrive there, bank transfers to teachers leave it.",
            _N.ASSET,
        ),
        _K.FUNDS_IN_DISPUTE: AccountType(
            "Funds in dispute", "Withdrawn by Stripe for open disputes; returned if they are won.", _N.ASSET
        ),
        _K.REFUNDS_TO_ALLOCATE: AccountType(
            "Refunds to allocate",
            "Refunds made at Stripe that staff must still allocate to order lines. Zero once all are allocated.",
            _N.SUSPENSE,
        ),
        _K.CONVERSION: AccountType(
            "Conversion",
            "Amounts that Stripe converted into another currency: what left one currency and what came in the other.",
            _N.SUSPENSE,
        ),
        _K.UNEXPLAINED: AccountType("Unexplained", "Not used yet. For amounts whose cause is not known.", _N.SUSPENSE),
        _K.TEACHER_PENDING: AccountType(
            "Teacher: pending", "Earned by the teacher, not yet theirs to withdraw.", _N.LIABILITY, is_per_teacher=True
        ),
        _K.TEACHER_AVAILABLE: AccountType(
            "Teacher: available",
            "The teacher may withdraw it. Negative is a debt, settled from later earnings.",
            _N.LIABILITY,
            is_per_teacher=True,
        ),
        _K.TEACHER_HELD: AccountType(
            "Teacher: held",
            "Kept back for a dispute, or for a refund that Stripe has not confirmed.",
            _N.LIABILITY,
            is_per_teacher=True,
        ),
        _K.TEACHER_IN_PAYOUT: AccountType(
            "Teacher: in payout", "Requested or sent, not yet confirmed as paid.", _N.LIABILITY, is_per_teacher=True
        ),
        _K.UNEARNED_CREDITS: AccountType(
            "Teacher: unearned credits",
            "Not used yet. Lessons paid in advance and not taken.",
            _N.LIABILITY,
            is_per_teacher=True,
        ),
        _K.SUBSCRIPTIONS_UNEARNED: AccountType(
            "Unearned subscriptions",
            "Paid for periods of subscriptions, and neither earned by a teacher nor the platform's yet: lesson credits "
            "that are not used up, and access to courses for times that are not over.",
            _N.LIABILITY,
        ),
        _K.REFUNDS_DUE: AccountType(
            "Refunds due", "Owed to students: paid lines that could not be delivered, second payments.", _N.LIABILITY
        ),
        _K.TAX_PAYABLE: AccountType(
            "Tax payable",
            "Tax on what was sold that the platform owes to the tax office, not the teacher.",
            _N.LIABILITY,
        ),
        _K.STRIPE_ADVANCE: AccountType("Advance from Stripe", "Money that Stripe has lent or advanced.", _N.LIABILITY),
        _K.PLATFORM_FEES: AccountType("Platform fees", "The platform's commission on what was sold.", _N.INCOME),
        _K.PLATFORM_DISCOUNTS: AccountType(
            "Discounts", "Discounts that the platform bears instead of the teacher.", _N.COST
        ),
        _K.PLATFORM_LOSSES: AccountType(
            "Losses",
            "What no teacher bears: disputes beyond what was left of the payment, differences in exchange rates.",
            _N.COST,
        ),
        _K.STRIPE_FEES: AccountType("Stripe's fees", "Stripe's fees on payments.", _N.COST),
        _K.DISPUTE_FEES: AccountType("Dispute fees", "Stripe's fees on disputes.", _N.COST),
        _K.PAYOUT_FEES: AccountType(
            "Payout fees", "Stripe's fees on payouts and transfers, and the bank's for transfers by hand.", _N.COST
        ),
    }
)
PER_TEACHER = tuple(kind for kind, account in CHART.items() if account.is_per_teacher)
OF_PLATFORM = tuple(kind for kind, account in CHART.items() if not account.is_per_teacher)


def check_account(key: AccountKey) -> None:
    """Raise AccountDoesNotFit unless the account names a teacher exactly if its kind is one per teacher."""
    if CHART[key.kind].is_per_teacher != (key.teacher_id is not None):
        wanted = "needs a teacher" if CHART[key.kind].is_per_teacher else "belongs to the platform, not to a teacher"
        raise AccountDoesNotFit(f"{key.kind} {wanted}.")
