"""Balances: what is on an account, now or at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q, Sum

from ledger.chart import CHART, check_account
from ledger.entries import AccountKey, AccountKind
from ledger.models import Posting
from money import Money


def balance_of(
    kind: AccountKind,
    currency: str,
    *,
    teacher_id: int | None = None,
    recorded_at: datetime | None = None,
    effective_at: datetime | None = None,
) -> Money:
    """What is on an account, positive on its normal side: a teacher who is owed 90 has +90, one in debt less than zero.

    `recorded_at` gives the balance as the books showed it at that moment; `effective_at` counts only what had happened
    by then. Raises AccountDoesNotFit.
    """
    check_account(AccountKey(kind, teacher_id, currency))
    owner = Q(account__teacher__isnull=True) if teacher_id is None else Q(account__teacher_id=teacher_id)
    postings = Posting.objects.filter(owner, account__kind=kind, account__currency=currency)
    if recorded_at is not None:
        postings = postings.filter(recorded_at__lte=recorded_at)
    if effective_at is not None:
        postings = postings.filter(effective_at__lte=effective_at)
    minor = postings.aggregate(total=Sum("amount_minor"))["total"]
    return CHART[kind].as_read(int(minor or 0), currency)


def balances_of_teacher(teacher_id: int) -> Mapping[tuple[AccountKind, str], Money]:
    """All balances of a teacher by kind and currency, as `balance_of` gives them; accounts never used are missing."""
    sums = (
        Posting.objects.filter(account__teacher_id=teacher_id)
        .values_list("account__kind", "account__currency")
        .annotate(total=Sum("amount_minor"))
        .order_by("account__currency", "account__kind")
    )
    return {
        (AccountKind(kind), currency): CHART[AccountKind(kind)].as_read(int(minor), currency)
        for kind, currency, minor in sums
    }
