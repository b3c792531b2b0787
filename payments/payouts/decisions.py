"""Staff's decisions on payouts: approve, decline, record a bank transfer, record that the bank sent one back.

Each locks the payout, so that the second of two decisions at once finds the first.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Teacher, User
from accounts.moments import YEARS
from ledger.locks import lock_teacher_accounts
from money import Money
from payments.models import Payout, PayoutTransfer
from payments.payouts.mails import queue_declined, queue_paid, queue_returned
from payments.payouts.requests import check_account_ready, claimable
from payments.payouts.rules import Happening, HappeningNotPossible
from payments.payouts.steps import begin, count_return, lock_payout, move_on


class DecisionRefused(Exception):
    """The decision is not possible. The message is for staff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTransfer:
    """What staff record of a transfer that they made at the platform's bank."""

    paid_on: date
    last_four: str
    fee: Money
    note: str = ""


def approve_payout(*, payout_id: int, by: User, note: str = "") -> Payout:
    """Approve a requested payout; a worker sends it. Raises DecisionRefused, or AccountNotReady."""
    with transaction.atomic():
        payout = lock_payout(payout_id)
        _decide(payout, Happening.APPROVE, by, note)
        check_account_ready(payout.teacher)
        # Declined and approved again is not possible, so there is none yet.
        PayoutTransfer.objects.create(payout=payout)
    return payout


def decline_payout(*, payout_id: int, by: User, reason: str) -> Payout:
    """Decline a payout that has not been sent; its money is available again. Raises DecisionRefused."""
    if not reason.strip():
        raise DecisionRefused("Give a reason: the teacher reads it.")
    with transaction.atomic():
        payout = lock_payout(payout_id)
        _decide(payout, Happening.DECLINE, by, reason.strip())
        queue_declined(payout)
    return payout


def record_bank_transfer(*, payout_id: int, by: User, transfer: BankTransfer) -> Payout:
    """Record that a requested payout was paid by hand from the platform's bank. Raises DecisionRefused."""
    with transaction.atomic():
        payout = lock_payout(payout_id)
        _pay_by_bank(payout, by, transfer)
    return payout


def pay_by_bank(*, teacher: Teacher, amount: Money, by: User, transfer: BankTransfer, reference: uuid.UUID) -> Payout:
    """Record a bank transfer to a teacher who requested none, for example one without a Stripe account.

    The form brings the payout's reference, so that a form that is sent twice records one; the second returns the first.
    Raises PayoutRefused if that much is not available, or DecisionRefused. There is no minimum.
    """
    with transaction.atomic():
        lock_teacher_accounts([teacher.pk], amount.currency)
        first = Payout.objects.filter(reference=reference).first()
        if first is not None:
            return first
        wanted = claimable(teacher, amount.currency, amount, least=Money(1, amount.currency))
        payout = Payout.objects.create(
            reference=reference,
            teacher=teacher,
            amount_minor=wanted.minor,
            currency=wanted.currency,
            origin=Payout.Origin.STAFF,
            requested_by=by,
        )
        begin(payout, by_id=by.pk)
        _pay_by_bank(payout, by, transfer)
    return payout


def record_bank_return(*, payout_id: int, by: User, note: str) -> Payout:
    """Record that the bank sent a transfer by hand back; the teacher is owed the money again. Raises DecisionRefused."""
    with transaction.atomic():
        payout = lock_payout(payout_id)
        if payout.is_by_transfer or payout.status != Payout.Status.PAID:
            raise DecisionRefused(
                f"This payout is {payout.get_status_display()}; only a paid bank transfer comes back."
            )
        count_return(payout, payout.amount, arrived=payout.amount, source_key="bank", by_id=by.pk, note=note)
        queue_returned(payout, payout.amount, key="bank")
    return payout


def _decide(  # noqa: PLR0913  # each is a part of the decision
    payout: Payout,
    happening: Happening,
    by: User,
    note: str,
    *,
    cost: Money | None = None,
    fields: Mapping[str, Any] | None = None,
) -> None:
    decision = {"decided_by": by, "decided_at": timezone.now(), "note": note[:300]}
    try:
        move_on(payout, happening, by_id=by.pk, note=note, cost=cost, fields={**decision, **(fields or {})})
    except HappeningNotPossible as problem:
        decided = f" by {payout.decided_by}" if payout.decided_by else ""
        raise DecisionRefused(f"This payout is already {payout.get_status_display()}{decided}.") from problem


def _pay_by_bank(payout: Payout, by: User, transfer: BankTransfer) -> None:
    _check_bank_transfer(payout, transfer)
    # The journal names the account that the money leaves from.
    payout.way = Payout.Way.BANK
    _decide(
        payout,
        Happening.RECORD_BANK_TRANSFER,
        by,
        transfer.note,
        cost=transfer.fee,
        fields={
            "way": Payout.Way.BANK,
            "bank_last_four": transfer.last_four.upper(),
            "bank_paid_on": transfer.paid_on,
            "bank_fee_minor": transfer.fee.minor,
        },
    )
    queue_paid(payout)


def _check_bank_transfer(payout: Payout, transfer: BankTransfer) -> None:
    if transfer.paid_on > timezone.now().date():
        raise DecisionRefused("The day of the transfer is in the future.")
    if transfer.paid_on.year not in YEARS:
        raise DecisionRefused("Give a year close to the current one.")
    if len(transfer.last_four) != 4 or not transfer.last_four.isalnum():  # noqa: PLR2004  # its name says four
        raise DecisionRefused("Enter the last four characters of the teacher's account number.")
    if transfer.fee.currency != payout.currency or transfer.fee.minor < 0:
        raise DecisionRefused(f"Enter the bank's fee in {payout.currency}, or zero.")
