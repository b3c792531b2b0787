"""The steps of a dispute: evidence is staged or submitted, and the bank decides or the deadline passes."""

from collections.abc import Mapping
from typing import Any

from sandbox import clock, schedule, store
from sandbox.disputes.evidence import enhanced_eligibility, merge_evidence
from sandbox.disputes.inquiries import close_inquiry, is_inquiry
from sandbox.disputes.money import reinstate_funds
from sandbox.disputes.opening import escalate_inquiry
from sandbox.options import options
from sandbox.payments.published_cards import VISA_COMPLIANCE
from sandbox.protocol.errors import ApiError
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

CLOSED = ("lost", "prevented", "warning_closed", "won")
UNDER_REVIEW = {"needs_response": "under_review", "warning_needs_response": "warning_under_review"}
# Values of the uncategorized text that determine the bank's decision about a test payment (docs: "Testing", evidence).
WINNING, LOSING, ESCALATING = "winning_evidence", "losing_evidence", "escalate_inquiry_evidence"


def answer_dispute(dispute: Body, given: Mapping[str, Any], *, is_submitted: bool, metadata: Body | None) -> Body:
    """Add evidence and metadata, and submit the evidence to the bank unless it is only staged.

    Emits charge.dispute.updated if anything changed. Raises a 400 if the dispute is closed or was already answered.
    """
    is_answer = bool(given) or is_submitted
    if is_answer:
        _check_open(dispute)
        _check_unanswered(dispute)
    details, status = dispute["evidence_details"], dispute["status"]
    before = {key: dict(value) if isinstance(value, dict) else value for key, value in details.items()}
    previous: Body = {}
    if metadata is not None and metadata != dispute["metadata"]:
        previous["metadata"], dispute["metadata"] = dispute["metadata"], metadata
    if given and (changed := merge_evidence(dispute, given)):
        previous["evidence"] = changed
        details |= {"has_evidence": True, "enhanced_eligibility": enhanced_eligibility(dispute["evidence"])}
    if is_submitted:
        _submit(dispute)
        previous["status"] = status
    if changed_details := {key: value for key, value in before.items() if details[key] != value}:
        previous["evidence_details"] = changed_details
    if previous:
        store.save(dispute)
        emit("charge.dispute.updated", dispute, previous=previous)
    return dispute


def _check_open(dispute: Body) -> None:
    if dispute["status"] in CLOSED:
        raise ApiError("This dispute is already closed", is_executed=True)


def _check_unanswered(dispute: Body) -> None:
    # Banks accept only one answer (docs: "Respond to disputes").
    if dispute["status"] not in UNDER_REVIEW:
        raise ApiError(
            "Evidence for this dispute has already been submitted, and banks take only one submission.",
            is_executed=True,
        )


def _submit(dispute: Body) -> None:
    compliance = dispute["evidence"]["enhanced_evidence"].get(VISA_COMPLIANCE)
    if compliance and not compliance["fee_acknowledged"]:
        raise ApiError(
            "Evidence for a Visa compliance dispute can only be submitted once the network's fee is acknowledged.",
            param="evidence[enhanced_evidence][visa_compliance][fee_acknowledged]",
        )
    details = dispute["evidence_details"]
    details |= {
        "has_evidence": True,
        "past_due": clock.now() > details["due_by"],
        "submission_count": details["submission_count"] + 1,
    }
    dispute["status"] = UNDER_REVIEW[dispute["status"]]
    schedule.unschedule("dispute_deadline", dispute["id"])
    verdict = (dispute["evidence"]["uncategorized_text"] or "").strip()
    if verdict in (WINNING, LOSING) or (verdict == ESCALATING and is_inquiry(dispute)):
        dispute["_verdict"] = verdict
        schedule.schedule("decide_dispute", dispute["id"], after=options().settle_delay)


@step("decide_dispute")
def decide_dispute(dispute_id: str) -> None:
    """Decide a dispute according to its evidence."""
    dispute = store.fetch("dispute", dispute_id)
    if dispute["status"] in CLOSED:
        return
    verdict = dispute.pop("_verdict", "")
    if verdict == ESCALATING:
        escalate_inquiry(dispute)
    elif verdict == WINNING:
        win_dispute(dispute)
    else:
        lose_dispute(dispute)


@step("dispute_deadline")
def dispute_deadline(dispute_id: str) -> None:
    """Close an unanswered dispute as lost at its deadline."""
    dispute = store.fetch("dispute", dispute_id)
    if dispute["status"] == "needs_response":
        lose_dispute(dispute)


def win_dispute(dispute: Body) -> Body:
    """Close a dispute as won and reinstate the money. An inquiry is only closed. Raises a 400 if already closed."""
    _check_open(dispute)
    if is_inquiry(dispute):
        return close_inquiry(dispute)
    previous = {
        "balance_transactions": dispute["balance_transactions"],
        "is_charge_refundable": dispute["is_charge_refundable"],
        "status": dispute["status"],
    }
    reinstate_funds(dispute)
    dispute |= {"status": "won", "is_charge_refundable": True}
    _end(dispute, previous, is_automatic=True)
    emit("charge.dispute.funds_reinstated", dispute, is_automatic=True)
    return dispute


def lose_dispute(dispute: Body, *, is_automatic: bool = True) -> Body:
    """Close a dispute as lost. An inquiry is only closed. Raises a 400 if it is closed already."""
    _check_open(dispute)
    if is_inquiry(dispute):
        return close_inquiry(dispute, is_automatic=is_automatic)
    previous = {"status": dispute["status"]}
    dispute["status"] = "lost"
    return _end(dispute, previous, is_automatic=is_automatic)


def _end(dispute: Body, previous: Body, *, is_automatic: bool) -> Body:
    schedule.unschedule("dispute_deadline", dispute["id"])
    schedule.unschedule("decide_dispute", dispute["id"])
    store.save(dispute)
    emit("charge.dispute.closed", dispute, previous=previous, is_automatic=is_automatic)
    return dispute
