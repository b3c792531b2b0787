"""What a teacher has: earned, pending, available, held, being paid out and withdrawn, for each currency."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Q, Sum

from ledger.balances import balances_of_teacher
from ledger.entries import AccountKind, JournalKind
from ledger.models import Posting
from money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherBalance:
    """A teacher's money in one currency. `available` is negative while they owe the platform."""

    pending: Money
    available: Money
    held: Money
    in_payout: Money
    withdrawn: Money

    @property
    def currency(self) -> str:
        return self.available.currency

    @property
    def earned(self) -> Money:
        """Everything earned so far, less what was refunded."""
        return self.pending + self.available + self.held + self.in_payout + self.withdrawn

    @property
    def debt(self) -> Money:
        """What later earnings pay off first; zero or more."""
        return Money(max(0, -self.available.minor), self.currency)

    @property
    def payable(self) -> Money:
        """What may be paid out now; zero or more."""
        return Money(max(0, self.available.minor), self.currency)


def teacher_balances(teacher_id: int) -> list[TeacherBalance]:
    """The teacher's balances by currency, in alphabetical order; empty before the first sale. Two queries."""
    balances = balances_of_teacher(teacher_id)
    withdrawn = _withdrawn(teacher_id)
    currencies = sorted({currency for _, currency in balances})

    def of(kind: AccountKind, currency: str) -> Money:
        return balances.get((kind, currency), Money.zero(currency))

    return [
        TeacherBalance(
            pending=of(AccountKind.TEACHER_PENDING, currency),
            available=of(AccountKind.TEACHER_AVAILABLE, currency),
            held=of(AccountKind.TEACHER_HELD, currency),
            in_payout=of(AccountKind.TEACHER_IN_PAYOUT, currency),
            withdrawn=withdrawn.get(currency, Money.zero(currency)),
        )
        for currency in currencies
    ]


def _withdrawn(teacher_id: int) -> dict[str, Money]:
    """What was paid out and did not come back."""
    paid = Q(journal__kind=JournalKind.PAYOUT_PAID, account__kind=AccountKind.TEACHER_IN_PAYOUT)
    returned = Q(journal__kind=JournalKind.PAYOUT_RETURNED, account__kind=AccountKind.TEACHER_AVAILABLE)
    rows = (
        Posting.objects.filter(paid | returned, account__teacher_id=teacher_id)
        .values(currency=F("account__currency"))
        .annotate(total=Sum("amount_minor"))
    )
    return {row["currency"]: Money(int(row["total"]), row["currency"]) for row in rows}
