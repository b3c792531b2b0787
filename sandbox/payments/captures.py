"""Ending an intent deliberately: capturing what was authorised, or cancelling."""

from sandbox import clock, store
from sandbox.payments.balance import record_charge_income
from sandbox.payments.charges import settle_later
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.store import Body
from sandbox.webhooks.events import emit

CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def capture_intent(intent: Body, *, amount: int | None) -> Body:
    """Take what was authorised, or less of it; the rest is released."""
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be captured: "
            "requires_capture.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": intent},
        )
    amount = intent["amount_capturable"] if amount is None else amount
    if amount > intent["amount_capturable"]:
        raise ApiError(
            "The amount_to_capture is greater than the amount you can capture for this PaymentIntent.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charge = store.fetch("charge", intent["latest_charge"])
    charge |= {"captured": True, "amount_captured": amount}
    charge["amount_refunded"] = charge["amount"] - amount
    if intent["capture_method"] == "manual":
        record_charge_income(charge)
    else:
        settle_later(charge)
    store.save(charge)
    emit("charge.captured", charge)
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    store.save(intent)
    emit("payment_intent.succeeded", intent)
    return intent


def cancel_intent(intent: Body, *, reason: str | None, is_automatic: bool = False) -> Body:
    """Give an intent up; an authorisation is released."""
    if intent["status"] not in CANCELABLE:
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(CANCELABLE)}.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": intent},
        )
    if intent["status"] == "requires_capture":
        charge = store.fetch("charge", intent["latest_charge"])
        charge |= {"refunded": True, "amount_refunded": charge["amount"]}
        store.save(charge)
        emit("charge.refunded", charge, is_automatic=is_automatic)
    intent |= {
        "status": "canceled",
        "canceled_at": clock.now(),
        "cancellation_reason": reason,
        "amount_capturable": 0,
        "payment_method": None,
        "next_action": None,
    }
    store.save(intent)
    emit("payment_intent.canceled", intent, is_automatic=is_automatic)
    return intent
