"""Open disputes: because of the card that paid, by escalating an inquiry, or from the dashboard."""

from sandbox import clock, identifiers, schedule, store
from sandbox.disputes.evidence import enhanced_eligibility, initial_evidence
from sandbox.disputes.fraud_warnings import report_fraud, settle_warnings_of
from sandbox.disputes.inquiries import end_inquiry_later
from sandbox.disputes.money import withdraw_funds
from sandbox.payments.balance import settle_charge
from sandbox.payments.published_cards import BY_NUMBER, CHARGEBACK, INQUIRY
from sandbox.payments.refunds import fail_pending_refunds
from sandbox.protocol.errors import ApiError
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

REASONS = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
# Visa's codes for some of the reasons (docs: "Dispute reason codes", network code map).
VISA_CODES = {
    "credit_not_processed": "13.7",
    "duplicate": "12.6.1",
    "fraudulent": "10.4",
    "product_not_received": "13.1",
    "product_unacceptable": "13.3",
    "subscription_canceled": "13.2",
}
VISA_INQUIRY_CODE = "10"
DAY = 24 * 3600
DAYS_TO_ANSWER = 8


def open_dispute(
    charge: Body,
    reason: str = "fraudulent",
    *,
    case: str = CHARGEBACK,
    amount: int | None = None,
    eligibility: str = "",
) -> Body:
    """Open a dispute of a charge: of all that is left of it, or of `amount` in its minor units.

    `case` is "chargeback", "compliance" or "inquiry"; an inquiry withdraws no money. Emits charge.dispute.created,
    charge.dispute.funds_withdrawn and charge.updated. Raises ApiError when nothing is left to dispute.
    """
    if case != INQUIRY:
        fail_pending_refunds(charge)
    left = disputable_minor(charge)
    if left <= 0:
        raise ApiError(f"Charge {charge['id']} has no amount left to dispute.")
    dispute = _build(charge, reason, case=case, amount=min(amount or left, left), eligibility=eligibility)
    if case != INQUIRY:
        withdraw_funds(dispute)
    store.insert(dispute)
    emit("charge.dispute.created", dispute, is_automatic=True)
    if case == INQUIRY:
        end_inquiry_later(dispute)
    else:
        emit("charge.dispute.funds_withdrawn", dispute, is_automatic=True)
        schedule.schedule("dispute_deadline", dispute["id"], at=dispute["evidence_details"]["due_by"])
    _mark_disputed(charge, dispute)
    return dispute


def disputable_minor(charge: Body) -> int:
    """The part of a charge that is neither refunded nor disputed yet, in minor units."""
    if charge["status"] != "succeeded" or not charge["captured"]:
        return 0
    disputes = store.rows("dispute").filter(charge=charge["id"]).exclude(status="warning_closed")
    disputed = sum(amount for amount in disputes.values_list("body__amount", flat=True))
    return int(charge["amount"] - charge["amount_refunded"] - disputed)


def _build(charge: Body, reason: str, *, case: str, amount: int, eligibility: str) -> Body:
    evidence = initial_evidence(charge, eligibility)
    is_inquiry = case == INQUIRY
    return {
        "id": identifiers.new_id("du_1", 23),
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": clock.now(),
        "currency": charge["currency"],
        "enhanced_eligibility_types": [eligibility] if eligibility else [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": answer_deadline(),
            "enhanced_eligibility": enhanced_eligibility(evidence),
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": is_inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": _payment_method_details(charge, reason, case),
        "reason": reason,
        "status": "warning_needs_response" if is_inquiry else "needs_response",
    }


def answer_deadline() -> int:
    """The deadline for evidence: the last second of a day, in UTC."""
    return (clock.now() // DAY + DAYS_TO_ANSWER + 1) * DAY - 1


def _payment_method_details(charge: Body, reason: str, case: str) -> Body | None:
    card = charge["payment_method_details"].get("card")
    if card is None:
        return None
    code = VISA_INQUIRY_CODE if case == INQUIRY else VISA_CODES.get(reason)
    details = {
        "brand": card["brand"],
        "case_type": case,
        "network": card["network"],
        "network_reason_code": code if card["network"] == "visa" else None,
    }
    return {"card": details, "type": "card"}


def _mark_disputed(charge: Body, dispute: Body) -> None:
    """Set the charge's newest dispute; emits charge.updated."""
    marked = {"dispute": dispute["id"], "disputed": True}
    previous = {name: charge[name] for name, value in marked.items() if charge[name] != value}
    charge |= marked
    store.save(charge)
    emit("charge.updated", charge, previous=previous, is_automatic=True)
    settle_warnings_of(charge)


def escalate_inquiry(dispute: Body) -> Body:
    """Turn an inquiry into a chargeback: the money is withdrawn, and a new answer is required."""
    charge = store.fetch("charge", dispute["charge"])
    fail_pending_refunds(charge)
    previous = {
        "evidence_details": {"due_by": dispute["evidence_details"]["due_by"]},
        "is_charge_refundable": True,
        "payment_method_details": {"card": {"case_type": INQUIRY}},
        "status": dispute["status"],
    }
    dispute |= {
        "amount": min(dispute["amount"], charge["amount"] - charge["amount_refunded"]),
        "is_charge_refundable": False,
        "status": "needs_response",
    }
    dispute["evidence_details"]["due_by"] = answer_deadline()
    dispute["payment_method_details"] = _payment_method_details(charge, dispute["reason"], CHARGEBACK)
    withdraw_funds(dispute)
    store.save(dispute)
    schedule.unschedule("inquiry_ends", dispute["id"])
    schedule.schedule("dispute_deadline", dispute["id"], at=dispute["evidence_details"]["due_by"])
    emit("charge.dispute.updated", dispute, previous=previous, is_automatic=True)
    emit("charge.dispute.funds_withdrawn", dispute, is_automatic=True)
    return dispute


@step("card_aftermath")
def card_aftermath(charge_id: str) -> None:
    """Seconds after a payment, apply its card's published effect: a dispute, an inquiry or an early fraud warning."""
    settle_charge(charge_id)
    charge = store.fetch("charge", charge_id)
    card = BY_NUMBER[charge["_number"]]
    if card.is_reported_as_fraud:
        report_fraud(charge)
    for parts in range(card.disputes, 0, -1):
        left = disputable_minor(charge)
        if left > 0:
            open_dispute(
                charge,
                card.dispute_reason,
                case=card.dispute_case,
                amount=-(-left // parts),
                eligibility=card.dispute_eligibility,
            )
