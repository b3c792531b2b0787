"""The rules of the books for subscriptions: which entries a paid period makes, and each part of it as it ends.

Pure and free of Django. The sale itself credits the whole price to the platform's fees, as for anything that the platform
sells. Amounts are positive; the function says which way the money goes.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.entries import AccountKind, Entry, credit, debit
from money import Money
from money.shares import Split
from payments.earnings.entries import Portion


def entries_of_opening(amount: Money) -> list[Entry]:
    """A period was paid, and none of it is earned yet."""
    return [debit(AccountKind.PLATFORM_FEES, amount), credit(AccountKind.SUBSCRIPTIONS_UNEARNED, amount)]


def entries_of_release(amount: Money) -> list[Entry]:
    """No teacher earns this part any more: unused, or its price goes back to the student, out of the platform's fees."""
    return [debit(AccountKind.SUBSCRIPTIONS_UNEARNED, amount), credit(AccountKind.PLATFORM_FEES, amount)]


def entries_of_earning(portions: Iterable[Portion], rest: Money) -> list[Entry]:
    """Teachers earned their shares and the platform its commission; `rest` is what was not earned by use.

    The shares are available at once: the period was paid and its time is over.
    """
    entries = entries_of_release(rest)
    for portion in portions:
        entries += [
            debit(AccountKind.SUBSCRIPTIONS_UNEARNED, portion.amount),
            credit(AccountKind.TEACHER_AVAILABLE, portion.share, portion.teacher_id),
            credit(AccountKind.PLATFORM_FEES, portion.fee),
        ]
    return entries


def portion_of(teacher_id: int, split: Split) -> Portion:
    """A teacher's part as the rules of the books name it."""
    return Portion(teacher_id=teacher_id, fee=split.fee, share=split.share)
