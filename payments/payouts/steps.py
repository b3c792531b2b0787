"""Move a payout one step on: its status, the journal of the money that moves with it, and a line of its history.

Everything that changes a payout goes through here, within the caller's transaction and with the payout locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from ledger.entries import AccountKind, JournalKind
from ledger.journals import record_journal
from money import Money
from payments.announcements import announce_payout
from payments.models import Payout, PayoutStep, PayoutTransfer
from payments.payouts.entries import (
    entries_of_giving_back,
    entries_of_payment,
    entries_of_request,
    entries_of_return,
)
from payments.payouts.rules import Happening, Movement, PayoutStatus, after_return, step_after


def lock_payout(payout_id: int) -> Payout:
    """The payout as it is now, locked until the end of the transaction."""
    return Payout.objects.select_for_update(of=("self",)).select_related("teacher__user").get(pk=payout_id)


def lock_payouts_of(transfers: QuerySet[PayoutTransfer]) -> None:
    """Lock the payouts of transfers until the end of the transaction, in the order of their ids: before the transfers."""
    payouts = Payout.objects.filter(pk__in=transfers.values("payout")).order_by("pk")
    list(payouts.select_for_update(of=("self",)).values_list("pk", flat=True))


def begin(payout: Payout, *, by_id: int | None, note: str = "") -> None:
    """Claim the money of a payout that was just written, and begin its history. Call with the teacher's accounts locked."""
    _claim(payout, source="requested")
    PayoutStep.objects.create(payout=payout, status=payout.status, by_id=by_id, note=note[:300])


def begin_paid(payout: Payout, *, cost: Money, note: str) -> None:
    """Claim and pay the money of a payout that was just written as paid, and begin its history."""
    _claim(payout, source="requested")
    _pay(payout, cost)
    PayoutStep.objects.create(payout=payout, status=payout.status, note=note[:300])
    announce_payout(payout)


def move_on(  # noqa: PLR0913  # each is a part of the step
    payout: Payout,
    happening: Happening,
    *,
    by_id: int | None = None,
    note: str = "",
    cost: Money | None = None,
    fields: Mapping[str, Any] | None = None,
) -> bool:
    """Let something happen to a locked payout; False if its status stays. Raises HappeningNotPossible.

    `fields` are stored with the status. `cost` is what a payment cost the platform.
    """
    before = PayoutStatus(payout.status)
    step = step_after(before, happening)
    _move_money(payout, step.movement, happening, cost=cost or Money.zero(payout.currency))
    if step.status == before:
        return False
    _store(payout, step.status, dict(fields or {}))
    PayoutStep.objects.create(payout=payout, status=step.status, by_id=by_id, note=note[:300])
    announce_payout(payout)
    return True


def _store(payout: Payout, status: PayoutStatus, fields: Mapping[str, Any]) -> None:
    now = timezone.now()
    payout.status = status
    changes = dict(fields)
    if payout.has_left:
        changes["paid_at"] = payout.paid_at or now
    changes["ended_at"] = now if payout.was_given_back or status == PayoutStatus.RETURNED else None
    for name, value in changes.items():
        setattr(payout, name, value)
    payout.save(update_fields=["status", *changes])


def count_return(  # noqa: PLR0913  # each is a part of the return
    payout: Payout, part: Money, *, arrived: Money, source_key: str, by_id: int | None, note: str
) -> None:
    """Give back money of a paid payout that came back. Call with the payout locked. Raises ReturnNotPossible.

    `source_key` identifies this return, such as Stripe's id of the reversal; the caller counts each once.
    """
    status = after_return(
        PayoutStatus(payout.status),
        paid_minor=payout.amount_minor,
        returned_minor=payout.returned_minor,
        part_minor=part.minor,
    )
    record_journal(
        source=f"{payout.subject}:returned:{source_key}",
        kind=JournalKind.PAYOUT_RETURNED,
        entries=entries_of_return(part, teacher_id=payout.teacher_id, into=_left_from(payout), arrived=arrived),
        subject=payout.subject,
        description=note[:300],
    )
    _store(payout, status, {"returned_minor": payout.returned_minor + part.minor})
    PayoutStep.objects.create(payout=payout, status=status, by_id=by_id, note=f"{part} came back. {note}".strip()[:300])


def _move_money(payout: Payout, movement: Movement, happening: Happening, *, cost: Money) -> None:
    if movement == Movement.NONE:
        return
    if movement == Movement.GIVE_BACK:
        is_declined = happening == Happening.DECLINE
        record_journal(
            source=f"{payout.subject}:{'declined' if is_declined else 'failed'}",
            kind=JournalKind.PAYOUT_DECLINED if is_declined else JournalKind.PAYOUT_FAILED,
            entries=entries_of_giving_back(payout.amount, teacher_id=payout.teacher_id),
            subject=payout.subject,
        )
        return
    if movement == Movement.CLAIM_AGAIN_AND_PAY:
        _claim(payout, source="claimed_again")
    _pay(payout, cost)


def _pay(payout: Payout, cost: Money) -> None:
    record_journal(
        source=f"{payout.subject}:paid",
        kind=JournalKind.PAYOUT_PAID,
        entries=entries_of_payment(payout.amount, teacher_id=payout.teacher_id, source=_left_from(payout), cost=cost),
        subject=payout.subject,
    )


def _claim(payout: Payout, *, source: str) -> None:
    record_journal(
        source=f"{payout.subject}:{source}",
        kind=JournalKind.PAYOUT_REQUESTED,
        entries=entries_of_request(payout.amount, teacher_id=payout.teacher_id),
        subject=payout.subject,
    )


def _left_from(payout: Payout) -> AccountKind:
    return AccountKind.STRIPE_CLEARING if payout.is_by_transfer else AccountKind.BANK
