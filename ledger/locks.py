"""Locks for decisions that depend on a teacher's balance: refund requests, disputes, payout requests. Sales never lock."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.entries import AccountKey, AccountKind
from ledger.models import Account
from ledger.opening import open_accounts


def lock_teacher_accounts(teacher_ids: Iterable[int], currency: str) -> None:
    """Lock the teachers' accounts in a currency until the end of the transaction.

    The account of what is available stands for all accounts of a teacher in the currency. Rows are locked in the order
    of their ids, and accounts are the last things a transaction locks, so two transactions never wait for each other.
    """
    wanted = set(teacher_ids)
    kind = AccountKind.TEACHER_AVAILABLE
    accounts = Account.objects.filter(kind=kind, currency=currency, teacher_id__in=wanted).order_by("pk")
    if accounts.count() < len(wanted):
        open_accounts([AccountKey(kind, teacher, currency) for teacher in wanted])
    list(accounts.select_for_update(no_key=True).values_list("pk", flat=True))
