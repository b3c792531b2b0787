"""What staff read about a dispute: in plain words, what happened, what to do, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from django.utils.timesince import timesince, timeuntil

from money import Money
from payments.disputes.answers import reason_against_answer
from payments.disputes.prefill import refunded_before
from payments.disputes.taken import taken_by
from payments.disputes.waiting_refunds import waiting_for
from payments.models import Dispute, DisputeAnswer

_STATUS = Dispute.Status
_REASONS = {
    "fraudulent": "The cardholder says that they did not make this payment.",
    "product_not_received": "The cardholder says that they did not receive what they paid for.",
    "product_unacceptable": "The cardholder says that what they received was not as described.",
    "credit_not_processed": "The cardholder says that they are owed a refund.",
    "duplicate": "The cardholder says that they were charged twice.",
    "subscription_canceled": "The cardholder says that they had cancelled.",
    "unrecognized": "The cardholder does not recognise the payment on their statement.",
    "general": "The bank names no particular reason.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The box on top of a dispute's page."""

    heading: str
    text: str
    tone: str  # danger, warning, info or success
    reason: str
    due: str


def advice_on(dispute: Dispute) -> Advice:
    """What to do about a dispute now."""
    heading, text, tone = _what_to_do(dispute)
    said = _REASONS.get(dispute.reason, f"The bank's reason: {dispute.reason.replace('_', ' ')}.")
    return Advice(heading=heading, text=text, tone=tone, reason=said, due=due_text(dispute))


def due_text(dispute: Dispute) -> str:
    """The due date with the time that is left; empty if nothing is due."""
    if dispute.due_by is None or not dispute.needs_answer:
        return ""
    at = _written(dispute.due_by)
    now = timezone.now()
    if dispute.due_by <= now:
        return f"{at}: {timesince(dispute.due_by, now, depth=2)} ago"
    return f"{at}: {timeuntil(dispute.due_by, now, depth=2)} left"


def money_rows(dispute: Dispute) -> list[tuple[str, str]]:
    """The money of a dispute, as labels and amounts."""
    taken = taken_by(dispute)
    rows = [("Disputed", str(dispute.amount)), ("Of a payment of", str(dispute.payment.amount))]
    rows += [(_label_of(movement.claim_minor), str(movement.amount)) for movement in dispute.movements.all()]
    rows += [("Stripe's fee for the dispute", str(each.fee)) for each in dispute.movements.all() if each.fee_minor]
    for allocation in dispute.allocations.select_related("line__teacher", "dispute__payment"):
        if allocation.share_minor:
            verb = "Lost by" if taken.is_final else "Held from"
            rows.append((f"{verb} {allocation.line.seller_name}", str(allocation.share)))
    rows += [
        (f"Refunded by itself if the dispute is won: {waiting.line.title}", str(waiting.amount))
        for waiting in waiting_for(dispute.payment)
        if not waiting.refund_id
    ]
    if dispute.excess_minor:
        rows.append(("Beyond what is left of the payment, borne by the platform", str(dispute.excess)))
    return rows


def earlier_refunds(dispute: Dispute) -> list[dict[str, Any]]:
    """The refunds that the student has received already."""
    return [{"amount": refund.amount, "at": refund.succeeded_at} for refund in refunded_before(dispute)]


_OVER = {
    _STATUS.UNDER_REVIEW: ("The bank is deciding", "This takes up to three months. Nothing to do.", "info"),
    _STATUS.WARNING_UNDER_REVIEW: ("The bank is deciding", "It has our answer to its inquiry. Nothing to do.", "info"),
    _STATUS.WON: ("Won", "The bank decided for us. Nothing to do.", "success"),
    _STATUS.LOST: ("Lost", "The bank decided for the cardholder. The money is gone.", "danger"),
    _STATUS.WARNING_CLOSED: ("The inquiry is closed", "It did not become a dispute, and no money moved.", "success"),
    _STATUS.PREVENTED: ("Prevented", "It was settled before it became a dispute.", "success"),
}


def _what_to_do(dispute: Dispute) -> tuple[str, str, str]:
    """Heading, text and tone."""
    queued = dispute.answers.filter(status=DisputeAnswer.Status.QUEUED).first()
    if queued is not None:
        return "The answer is being sent", f"{queued.get_kind_display().capitalize()}. Nothing to do.", "info"
    if dispute.needs_answer:
        return _how_to_answer(dispute)
    lost = taken_by(dispute).lost
    if lost > 0 and dispute.status != _STATUS.LOST:
        heading = dispute.status_text[0].upper() + dispute.status_text[1:]
        return heading, f"{Money(lost, dispute.payment.currency)} did not come back. The cardholder has it.", "danger"
    for status, advice in _OVER.items():
        if dispute.status == status:
            return advice
    return (
        f"Status at Stripe: {dispute.status_text}",
        "We do not know this status. Look in Stripe's Dashboard.",
        "warning",
    )


def _how_to_answer(dispute: Dispute) -> tuple[str, str, str]:
    if dispute.due_by and dispute.due_by <= timezone.now():
        return "The time to answer is over", reason_against_answer(dispute) or "Stripe may refuse an answer.", "danger"
    if dispute.is_inquiry:
        text = "The bank asks before it takes the money. Send evidence, or refund the order, which ends the inquiry."
        return "Answer the bank's inquiry", text, "warning"
    text = "The bank has taken the money until it has decided. Send evidence that the student received what they paid for, or accept the loss. You can answer once."
    return "Answer the dispute", text, "warning"


def _label_of(claim_minor: int) -> str:
    return "Taken by Stripe" if claim_minor > 0 else "Given back by Stripe"


def _written(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%-d %B %Y, %H:%M} UTC"
