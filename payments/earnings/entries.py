"""The rules of the books: which entries a sale, a refund, a fee or a maturity makes. Pure and free of Django.

Amounts are positive; the function says which way the money goes. All entries of one journal balance in each currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.entries import AccountKind, Entry, credit, debit
from money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """Part of a line's money: the platform's fee, the teacher's share and the platform's tax add up to the part."""

    # None for what the platform itself sold: it has no share.
    teacher_id: int | None
    fee: Money
    share: Money
    # What the platform owes to the tax office; None or zero if the teacher owes the tax, out of the share.
    tax: Money | None = None

    @property
    def amount(self) -> Money:
        """Fee, share and tax together."""
        return self.fee + self.share + self.tax if self.tax else self.fee + self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundedPart:
    """What a refund takes from one line.

    The money of a line that could not be delivered was never earned: all of it is owed to the student.
    """

    portion: Portion
    is_delivered: bool = True


def entries_of_sale(
    delivered: Iterable[Portion], undeliverable: Iterable[Money] = (), *, by_platform: Iterable[Portion] = ()
) -> list[Entry]:
    """An order was paid: teachers and platform earn their parts, the platform owes its tax; what cannot be delivered is owed to the student.

    `by_platform` is what the platform pays into lines, where it bears a discount. It is its cost, and shared like the
    student's money.
    """
    entries: list[Entry] = []
    for portion in by_platform:
        entries += [
            debit(AccountKind.PLATFORM_DISCOUNTS, portion.amount),
            credit(AccountKind.TEACHER_PENDING, portion.share, portion.teacher_id),
            credit(AccountKind.PLATFORM_FEES, portion.fee),
        ]
    for portion in delivered:
        entries += [
            debit(AccountKind.STRIPE_CLEARING, portion.amount),
            credit(AccountKind.TEACHER_PENDING, portion.share, portion.teacher_id),
            credit(AccountKind.PLATFORM_FEES, portion.fee),
        ]
        if portion.tax:
            entries.append(credit(AccountKind.TAX_PAYABLE, portion.tax))
    for amount in undeliverable:
        entries += [debit(AccountKind.STRIPE_CLEARING, amount), credit(AccountKind.REFUNDS_DUE, amount)]
    return entries


def entries_of_second_payment(amount: Money) -> list[Entry]:
    """A paid order was paid again: the money is owed to the student."""
    return [debit(AccountKind.STRIPE_CLEARING, amount), credit(AccountKind.REFUNDS_DUE, amount)]


def entries_of_reclaim(portion: Portion, *, share_account: AccountKind) -> list[Entry]:
    """The platform takes back what it paid into a line, or pays it again if the portion is negative."""
    return [
        Entry(AccountKind.PLATFORM_DISCOUNTS, portion.amount * -1),
        Entry(share_account, portion.share, portion.teacher_id),
        Entry(AccountKind.PLATFORM_FEES, portion.fee),
    ]


def entries_of_maturity(share: Money, teacher_id: int) -> list[Entry]:
    """What is left of a line's share becomes available to the teacher."""
    return [
        debit(AccountKind.TEACHER_PENDING, share, teacher_id),
        credit(AccountKind.TEACHER_AVAILABLE, share, teacher_id),
    ]


def entries_of_hold(share: Money, teacher_id: int | None, *, from_account: AccountKind) -> list[Entry]:
    """The teacher's part of a refund or dispute under way is held, so that it cannot be paid out meanwhile."""
    return [debit(from_account, share, teacher_id), credit(AccountKind.TEACHER_HELD, share, teacher_id)]


def entries_of_release(share: Money, teacher_id: int | None, *, to_account: AccountKind) -> list[Entry]:
    """What was held goes back to the account in which the line's share is by now."""
    return [debit(AccountKind.TEACHER_HELD, share, teacher_id), credit(to_account, share, teacher_id)]


def entries_of_refund(parts: Iterable[RefundedPart], rest: Money, *, rest_account: AccountKind) -> list[Entry]:
    """Stripe confirmed a refund: the held shares, the fees and the tax leave; `rest` belongs to no line (yet)."""
    entries = [debit(rest_account, rest), credit(AccountKind.STRIPE_CLEARING, rest)]
    for part in parts:
        entries.append(credit(AccountKind.STRIPE_CLEARING, part.portion.amount))
        entries += _taken_from(part, share_account=AccountKind.TEACHER_HELD)
    return entries


def entries_of_late_allocation(part: RefundedPart, *, share_account: AccountKind) -> list[Entry]:
    """Staff allocate part of a confirmed refund to a line."""
    return [
        credit(AccountKind.REFUNDS_TO_ALLOCATE, part.portion.amount),
        *_taken_from(part, share_account=share_account),
    ]


def entries_of_failed_refund(
    parts: Sequence[tuple[RefundedPart, AccountKind]], rest: Money, *, rest_account: AccountKind
) -> list[Entry]:
    """A confirmed refund failed after all: everyone gets back what they gave, each share in the account named."""
    entries = [debit(AccountKind.STRIPE_CLEARING, rest), credit(rest_account, rest)]
    for part, share_account in parts:
        entries.append(debit(AccountKind.STRIPE_CLEARING, part.portion.amount))
        entries += _reversed(_taken_from(part, share_account=share_account))
    return entries


def entries_of_stripe_fee(fee: Money) -> list[Entry]:
    """Stripe keeps its fee. It is always the platform's cost. A negative fee is one that Stripe gives back."""
    if fee.minor < 0:
        return [debit(AccountKind.STRIPE_CLEARING, fee * -1), credit(AccountKind.STRIPE_FEES, fee * -1)]
    return [debit(AccountKind.STRIPE_FEES, fee), credit(AccountKind.STRIPE_CLEARING, fee)]


def entries_of_converted_refund(refunded: Money, settled: Money) -> list[Entry]:
    """Stripe debited `settled` for a refund booked as `refunded`, in another currency; both are positive."""
    return _reversed(entries_of_conversion(refunded, settled))


def entries_of_round_trip(given: Money, returned: Money) -> list[Entry]:
    """Stripe took money for a refund that is not in the books, and gave it back: the rates may differ.

    Both as in Stripe's balance, `given` negative.
    """
    return [
        Entry(kind, amount * sign)
        for amount in (given, returned)
        for kind, sign in ((AccountKind.STRIPE_CLEARING, 1), (AccountKind.CONVERSION, -1))
    ]


def entries_of_conversion(charged: Money, settled: Money) -> list[Entry]:
    """Stripe credited `settled` for a payment booked as `charged`, in another currency. Each sums to zero by itself."""
    return [
        credit(AccountKind.STRIPE_CLEARING, charged),
        debit(AccountKind.CONVERSION, charged),
        debit(AccountKind.STRIPE_CLEARING, settled),
        credit(AccountKind.CONVERSION, settled),
    ]


def _taken_from(part: RefundedPart, *, share_account: AccountKind) -> list[Entry]:
    portion = part.portion
    if not part.is_delivered:
        return [debit(AccountKind.REFUNDS_DUE, portion.amount)]
    entries = [
        debit(share_account, portion.share, portion.teacher_id),
        debit(AccountKind.PLATFORM_FEES, portion.fee),
    ]
    if portion.tax:
        entries.append(debit(AccountKind.TAX_PAYABLE, portion.tax))
    return entries


def _reversed(entries: Iterable[Entry]) -> list[Entry]:
    return [Entry(entry.kind, entry.amount * -1, entry.teacher_id) for entry in entries]
