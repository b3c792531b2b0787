"""Derive the journals of payouts from their history, their reversals and Stripe's statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ledger.entries import AccountKind, Entry, JournalKind
from money import Money
from payments.models import Payout, PayoutStep, StripeMovement
from payments.payouts.entries import (
    entries_of_giving_back,
    entries_of_payment,
    entries_of_request,
    entries_of_return,
)
from payments.payouts.rules import GIVEN_BACK, LEFT, PayoutStatus
from payments.rebuilding.drafts import Draft
from payments.reconciliation.statement import Movement, Topic, key_of
from payments.reconciliation.statement_reading import as_movement

_PAYOUTS_AT_ONCE = 200
_GIVEN_BACK = {
    PayoutStatus.DECLINED: JournalKind.PAYOUT_DECLINED,
    PayoutStatus.FAILED: JournalKind.PAYOUT_FAILED,
}


def drafts_of_payouts(*, livemode: bool) -> Iterator[list[Draft]]:
    """The journals of all payouts, a chunk at a time."""
    last = 0
    payouts = Payout.objects.select_related("transfer").prefetch_related("steps", "transfer__reversals")
    while chunk := list(payouts.filter(pk__gt=last).order_by("pk")[:_PAYOUTS_AT_ONCE]):
        last = chunk[-1].pk
        movements = _movements_of(chunk, livemode=livemode)
        yield [draft for payout in chunk for draft in drafts_of_payout(payout, movements.get(payout.pk, ()))]


def _movements_of(payouts: Sequence[Payout], *, livemode: bool) -> Mapping[int, list[Movement]]:
    payout_of = {
        key_of(Topic.TRANSFER, transfer_id): payout.pk for payout in payouts if (transfer_id := _id_of(payout))
    }
    movements: dict[int, list[Movement]] = {}
    rows = StripeMovement.objects.filter(match_key__in=list(payout_of), livemode=livemode)
    for row in rows.order_by("happened_at", "stripe_id"):
        movements.setdefault(payout_of[row.match_key], []).append(as_movement(row))
    return movements


def _id_of(payout: Payout) -> str:
    transfer = getattr(payout, "transfer", None)
    return (transfer.stripe_transfer_id or "") if transfer else ""


def drafts_of_payout(payout: Payout, movements: Sequence[Movement]) -> Iterator[Draft]:
    """All journals of one payout. `movements` are those of its transfer."""
    yield _draft(payout, "requested", JournalKind.PAYOUT_REQUESTED, _claim(payout), payout.requested_at)
    was_given_back = False
    for step in _first_of_each_status(payout):
        status = PayoutStatus(step.status)
        if status in GIVEN_BACK:
            was_given_back = True
            given_back = entries_of_giving_back(payout.amount, teacher_id=payout.teacher_id)
            yield _draft(payout, status.value, _GIVEN_BACK[status], given_back, step.at)
        elif status == PayoutStatus.PAID:
            if was_given_back:
                yield _draft(payout, "claimed_again", JournalKind.PAYOUT_REQUESTED, _claim(payout), step.at)
            yield _draft(payout, "paid", JournalKind.PAYOUT_PAID, _payment(payout, movements), step.at)
    yield from _returns(payout, movements)


def _first_of_each_status(payout: Payout) -> Iterator[PayoutStep]:
    """Partial returns repeat the status; money moves with the first step only."""
    seen: set[str] = set()
    for step in payout.steps.all():
        if step.status not in seen:
            seen.add(step.status)
            yield step


def _claim(payout: Payout) -> list[Entry]:
    return entries_of_request(payout.amount, teacher_id=payout.teacher_id)


def _payment(payout: Payout, movements: Sequence[Movement]) -> list[Entry]:
    cost = payout.bank_fee
    if payout.is_by_transfer:
        sent = next((movement for movement in movements if movement.amount_minor < 0), None)
        is_alike = sent is not None and sent.currency == payout.currency
        cost = Money(sent.fee_minor if sent and is_alike else 0, payout.currency)
    return entries_of_payment(payout.amount, teacher_id=payout.teacher_id, source=_left_from(payout), cost=cost)


def _returns(payout: Payout, movements: Sequence[Movement]) -> Iterator[Draft]:
    arrived_of = {each.source: Money(each.net_minor, each.currency) for each in movements if each.amount_minor >= 0}
    transfer = getattr(payout, "transfer", None)
    for reversal in transfer.reversals.all() if transfer else ():
        if reversal.stripe_reversal_id:
            part = Money(reversal.amount_minor, payout.currency)
            arrived = arrived_of.get(reversal.stripe_reversal_id, part)
            yield _return(payout, part, arrived, reversal.stripe_reversal_id)
    if not payout.is_by_transfer and payout.status in LEFT and payout.returned_minor:
        yield _return(payout, payout.returned, payout.returned, "bank")


def _return(payout: Payout, part: Money, arrived: Money, key: str) -> Draft:
    entries = entries_of_return(part, teacher_id=payout.teacher_id, into=_left_from(payout), arrived=arrived)
    return _draft(payout, f"returned:{key}", JournalKind.PAYOUT_RETURNED, entries, payout.ended_at)


def _left_from(payout: Payout) -> AccountKind:
    return AccountKind.STRIPE_CLEARING if payout.is_by_transfer else AccountKind.BANK


def _draft(payout: Payout, step: str, kind: JournalKind, entries: list[Entry], at: datetime | None) -> Draft:
    return Draft(source=f"{payout.subject}:{step}", kind=kind, subject=payout.subject, entries=entries, effective_at=at)
