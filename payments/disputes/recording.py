"""Record the state of a dispute at Stripe. The one function for it, for events, for our answers, and for sweeps.

Fetched states may be recorded in any order and repeatedly: each balance transaction is booked once, and a state that is
older than the recorded one changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils import timezone

from money import Money
from notifications.outbox import mails_gathered
from payments.announcements import DISPUTE_CLOSED, DISPUTE_OPENED, announce_dispute
from payments.disputes.claiming import change_claim, change_claims, follow_changes
from payments.disputes.claims import claim_of_movement
from payments.disputes.effects import alert_staff
from payments.disputes.stripe_objects import StripeDispute, StripeDisputeMovement
from payments.disputes.taken import Taken, disputed_of_payment, standing_of, taken_by
from payments.disputes.waiting_refunds import refund_what_waited
from payments.finding import find_payment, lock_order_of
from payments.models import Dispute, DisputeMovement, Payment

log = structlog.get_logger()

_Status = Dispute.Status
# How far a dispute is. A status that we do not know may come before or after any other.
_PROGRESS: dict[str, int] = {
    _Status.WARNING_NEEDS_RESPONSE: 0,
    _Status.WARNING_UNDER_REVIEW: 1,
    _Status.WARNING_CLOSED: 2,
    _Status.NEEDS_RESPONSE: 3,
    _Status.UNDER_REVIEW: 4,
    _Status.WON: 5,
    _Status.LOST: 5,
    _Status.PREVENTED: 5,
}


class DisputeDisagrees(Exception):
    """What Stripe reports contradicts what we recorded of the same dispute or warning. Staff must look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDispute:
    """Our record of a dispute, and whether Stripe's report changed it."""

    dispute: Dispute
    has_changed: bool


def record_dispute(fresh: StripeDispute) -> RecordedDispute | None:
    """Record the state of a dispute at Stripe; None if its payment is not ours. A repeat changes nothing.

    Raises DisputeDisagrees or PaymentNotSettledYet.
    """
    payment = find_payment(
        payment_intent_id=fresh.payment_intent_id,
        charge_id=fresh.charge_id,
        payment_reference=fresh.payment_reference,
    )
    if payment is None:
        return None
    with transaction.atomic(), mails_gathered():
        order = lock_order_of(payment)
        known = _find_recorded(fresh, payment)
        if known is not None and _is_older(fresh, known):
            return RecordedDispute(dispute=known, has_changed=False)
        dispute = known or Dispute(payment=payment, stripe_dispute_id=fresh.id)
        has_changed = _record(dispute, fresh)
    log.info("dispute_recorded", order=order.number, dispute=fresh.id, status=fresh.status, has_changed=has_changed)
    return RecordedDispute(dispute=dispute, has_changed=has_changed)


def _find_recorded(fresh: StripeDispute, payment: Payment) -> Dispute | None:
    known = Dispute.objects.filter(stripe_dispute_id=fresh.id).first()
    if known is None:
        return None
    if known.payment_id != payment.pk:
        raise DisputeDisagrees(f"{fresh.id} was a dispute of another payment before.")
    known.payment = payment
    return known


def _is_older(fresh: StripeDispute, known: Dispute) -> bool:
    """Whether a state was fetched before the recorded one: movements are only added, and a case goes one way.

    A closed case may be opened again; a further movement shows that this is so.
    """
    recorded = set(known.movements.values_list("stripe_balance_transaction_id", flat=True))
    reported = {movement.id for movement in fresh.movements}
    if not recorded <= reported:
        return True
    steps = _PROGRESS.get(fresh.status), _PROGRESS.get(known.status)
    is_behind = steps[0] is not None and steps[1] is not None and steps[0] < steps[1]
    return is_behind and recorded == reported


def _record(dispute: Dispute, fresh: StripeDispute) -> bool:
    was_new, status_before, was_closed = dispute.pk is None, dispute.status, dispute.closed_at is not None
    before = Taken() if was_new else taken_by(dispute)
    has_changed = _copy_state(dispute, fresh)
    dispute.save()
    new_movements = _add_movements(dispute, fresh.movements)
    change = change_claim(dispute, before=before)
    changes = [change]
    if change.after.claimed < before.claimed:
        # What it releases, another dispute of the payment may have to take.
        changes += change_claims(dispute.payment, but=dispute)
    follow_changes(dispute.payment, changes, new_movements)
    alert_staff(dispute, status_before="" if was_new else status_before, before=before, after=change.after)
    _announce(dispute, change.before, change.after, was_new=was_new, was_closed=was_closed)
    if change.before != change.after:
        refund_what_waited(dispute.payment)
    return has_changed or bool(new_movements)


def _announce(dispute: Dispute, before: Taken, after: Taken, *, was_new: bool, was_closed: bool) -> None:
    """Announce that it was opened or decided: to a teacher with what it takes, or what it took before it was won."""
    if was_new:
        announce_dispute(DISPUTE_OPENED, dispute, _amounts(after))
    if dispute.is_closed and not was_closed:
        announce_dispute(DISPUTE_CLOSED, dispute, _amounts(after) or _amounts(before))


def _amounts(taken: Taken) -> dict[int, int]:
    return {line_id: part.amount for line_id, part in taken.of_lines.items() if part.amount}


def _copy_state(dispute: Dispute, fresh: StripeDispute) -> bool:
    """Copy the state at Stripe to our record, without saving it; returns whether anything is new."""
    state = {
        "amount_minor": fresh.amount.minor,
        "currency": fresh.amount.currency,
        "reason": fresh.reason[:50],
        "status": fresh.status[:40],
        "case_type": fresh.case_type[:30],
        "due_by": fresh.due_by,
        "is_past_due": fresh.is_past_due,
        "is_charge_refundable": fresh.is_charge_refundable,
        "has_evidence": fresh.has_evidence,
        "submission_count": fresh.submission_count,
        "opened_at": fresh.opened_at,
    }
    changed = {name: value for name, value in state.items() if getattr(dispute, name) != value}
    for name, value in changed.items():
        setattr(dispute, name, value)
    if changed:
        dispute.updated_at = timezone.now()
    dispute.closed_at = (dispute.closed_at or timezone.now()) if dispute.is_closed else None
    return bool(changed)


def _add_movements(dispute: Dispute, reported: Sequence[StripeDisputeMovement]) -> list[DisputeMovement]:
    """Store the movements that are not stored yet, the oldest first; returns them."""
    known = set(dispute.movements.values_list("stripe_balance_transaction_id", flat=True))
    disputed = Money(disputed_of_payment(dispute), dispute.payment.currency)
    added = []
    for movement in sorted(reported, key=lambda each: each.happened_at):
        if movement.id not in known:
            taken = standing_of(dispute).taken
            added.append(
                DisputeMovement.objects.create(
                    dispute=dispute,
                    stripe_balance_transaction_id=movement.id,
                    amount_minor=movement.amount.minor,
                    fee_minor=movement.fee.minor,
                    currency=movement.amount.currency,
                    claim_minor=claim_of_movement(movement, disputed=disputed, taken=taken),
                    happened_at=movement.happened_at,
                )
            )
    return added
