"""The entries that a dispute makes in the ledger. Pure and free of Django.

Amounts are debits if positive, credits if negative; the entries of one journal balance in each currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ledger.entries import AccountKind, Entry
from money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A change of what a dispute takes from one line: more if positive, less if negative.

    The money of a line that could not be delivered was never earned: it is owed to the student.
    """

    teacher_id: int | None
    fee: Money
    share: Money
    # What the platform owed of it as tax.
    tax: Money
    is_delivered: bool = True

    @property
    def amount(self) -> Money:
        return self.fee + self.share + self.tax


def entries_of_movement(*, amount: Money, fee: Money, claim: Money) -> list[Entry]:
    """Stripe took the disputed money out of our balance, or gave it back, with its fee. The fee is the platform's cost.

    Amount and fee as in the balance transaction; `claim` is the same in the payment's currency, positive if taken. If
    the account is paid out in another currency, each of the two sums to zero by itself.
    """
    entries = [
        Entry(AccountKind.FUNDS_IN_DISPUTE, claim),
        Entry(AccountKind.STRIPE_CLEARING, amount),
        Entry(AccountKind.DISPUTE_FEES, fee),
        Entry(AccountKind.STRIPE_CLEARING, fee * -1),
    ]
    if amount.currency != claim.currency:
        entries += [Entry(AccountKind.CONVERSION, claim * -1), Entry(AccountKind.CONVERSION, amount * -1)]
    return entries


def entries_of_hold(parts: Iterable[tuple[Part, AccountKind]]) -> list[Entry]:
    """Hold the teachers' shares, or release them, where they are now: pending or available."""
    entries: list[Entry] = []
    for part, account in parts:
        if part.is_delivered:
            entries += [
                Entry(account, part.share, part.teacher_id),
                Entry(AccountKind.TEACHER_HELD, part.share * -1, part.teacher_id),
            ]
    return entries


def entries_of_loss(parts: Sequence[Part], *, owed: Money, excess: Money) -> list[Entry]:
    """What Stripe took is lost: shares, fees and tax of the lines, what was owed to the student anyway, and the platform's.

    `owed` belongs to no line, as with a second payment of an order. `excess` is beyond what was left of the payment.
    """
    entries = [
        Entry(AccountKind.REFUNDS_DUE, owed),
        Entry(AccountKind.PLATFORM_LOSSES, excess),
        Entry(AccountKind.FUNDS_IN_DISPUTE, (owed + excess) * -1),
    ]
    for part in parts:
        entries.append(Entry(AccountKind.FUNDS_IN_DISPUTE, part.amount * -1))
        if part.is_delivered:
            entries.append(Entry(AccountKind.TEACHER_HELD, part.share, part.teacher_id))
            entries.append(Entry(AccountKind.PLATFORM_FEES, part.fee))
            entries.append(Entry(AccountKind.TAX_PAYABLE, part.tax))
        else:
            entries.append(Entry(AccountKind.REFUNDS_DUE, part.amount))
    return entries
