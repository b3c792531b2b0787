"""The ledger entries of each movement of a payout. Free of Django."""

from __future__ import annotations

from ledger.entries import AccountKind, Entry, credit, debit
from money import Money


def entries_of_request(amount: Money, *, teacher_id: int) -> list[Entry]:
    """The teacher's available money is claimed for a payout."""
    return [
        debit(AccountKind.TEACHER_AVAILABLE, amount, teacher_id),
        credit(AccountKind.TEACHER_IN_PAYOUT, amount, teacher_id),
    ]


def entries_of_giving_back(amount: Money, *, teacher_id: int) -> list[Entry]:
    """The claim ends without a payment: declined, or refused by Stripe."""
    return [
        debit(AccountKind.TEACHER_IN_PAYOUT, amount, teacher_id),
        credit(AccountKind.TEACHER_AVAILABLE, amount, teacher_id),
    ]


def entries_of_payment(amount: Money, *, teacher_id: int, source: AccountKind, cost: Money) -> list[Entry]:
    """The claimed money leaves from `source`, Stripe's balance or our bank, which also charges us `cost`."""
    return [
        debit(AccountKind.TEACHER_IN_PAYOUT, amount, teacher_id),
        debit(AccountKind.PAYOUT_FEES, cost),
        credit(source, amount + cost),
    ]


def entries_of_return(amount: Money, *, teacher_id: int, into: AccountKind, arrived: Money) -> list[Entry]:
    """Money of a payout comes back. The teacher is owed all of it; what a conversion took or added is the platform's.

    The cost of the payout is not touched: a bank that gives it back does so in a movement of its own.
    """
    owed = credit(AccountKind.TEACHER_AVAILABLE, amount, teacher_id)
    if arrived.currency != amount.currency:
        return [
            debit(into, arrived),
            credit(AccountKind.CONVERSION, arrived),
            debit(AccountKind.CONVERSION, amount),
            owed,
        ]
    spread = amount - arrived
    lost_or_won = (
        debit(AccountKind.PLATFORM_LOSSES, spread)
        if spread.minor >= 0
        else credit(AccountKind.PLATFORM_LOSSES, arrived - amount)
    )
    return [debit(into, arrived), lost_or_won, owed]
