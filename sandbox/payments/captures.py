"""The end of an authorisation: capture, cancellation, or expiry after seven days."""

from sandbox import clock, schedule, store
from sandbox.payments.balance import record_charge_income
from sandbox.payments.charges import schedule_aftermath, settle_later
from sandbox.payments.followers import call_followers
from sandbox.protocol.amounts import check_charge
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit

PLACE_A_HOLD = "https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")


def capture_intent(intent: Body, *, amount: int | None) -> Body:
    """Capture `amount` minor units, or all that was authorised; the rest is released."""
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
    check_charge(amount, intent["currency"], param="amount_to_capture")
    charge = store.fetch("charge", intent["latest_charge"])
    _capture(charge, amount, settles_at_once=intent["capture_method"] == "manual")
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    store.save(intent)
    emit("payment_intent.succeeded", intent)
    return intent


def capture_charge(charge: Body, *, amount: int | None) -> Body:
    """Capture a charge without an intent: `amount` in its minor units, or all of it."""
    if charge["captured"]:
        raise unexpected_state(f"Charge {charge['id']} has already been captured.", code="charge_already_captured")
    if charge["payment_intent"]:
        raise ApiError(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must capture the "
            f"PaymentIntent instead. For more information, see {PLACE_A_HOLD}",
            is_executed=True,
        )
    if charge["status"] != "succeeded":
        raise ApiError(f"Charge {charge['id']} cannot be captured: it was not successful.", is_executed=True)
    if charge["refunded"]:
        raise unexpected_state(
            f"Charge {charge['id']} has been refunded, so it can no longer be captured.", code="charge_already_refunded"
        )
    amount = charge["amount"] if amount is None else amount
    if amount > charge["amount"]:
        raise ApiError(
            "The amount to capture cannot be greater than the amount of the charge.",
            code="amount_too_large",
            param="amount",
            is_executed=True,
        )
    check_charge(amount, charge["currency"])
    return _capture(charge, amount, settles_at_once=True)


def _capture(charge: Body, amount: int, *, settles_at_once: bool) -> Body:
    charge |= {"captured": True, "amount_captured": amount, "amount_refunded": charge["amount"] - amount}
    schedule.unschedule("expire_authorization", charge["id"])
    if settles_at_once:
        record_charge_income(charge)
    else:
        settle_later(charge)
    store.save(charge)
    emit("charge.captured", charge)
    schedule_aftermath(charge)
    return charge


def cancel_intent(intent: Body, *, reason: str | None, is_automatic: bool = False) -> Body:
    """Cancel an intent; an authorisation is released."""
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
        _release(charge, "charge.refunded", is_automatic=is_automatic)
    return _mark_canceled(intent, reason=reason, is_automatic=is_automatic)


def _mark_canceled(intent: Body, *, reason: str | None, is_automatic: bool) -> Body:
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


def _release(charge: Body, event_type: str, *, is_automatic: bool) -> None:
    """Release an authorisation; the balance does not change."""
    previous = {"amount_refunded": charge["amount_refunded"], "refunded": False}
    charge |= {"refunded": True, "amount_refunded": charge["amount"]}
    store.save(charge)
    schedule.unschedule("expire_authorization", charge["id"])
    emit(event_type, charge, previous=previous, is_automatic=is_automatic)


@step("expire_authorization")
def expire_authorization(charge_id: str) -> None:
    """Release an authorisation not captured within seven days, and cancel the intent."""
    charge = store.fetch("charge", charge_id)
    if charge["captured"] or charge["refunded"]:
        return
    _release(charge, "charge.expired", is_automatic=True)
    intent = store.find("payment_intent", charge["payment_intent"]) if charge["payment_intent"] else None
    if intent and intent["status"] == "requires_capture":
        call_followers(_mark_canceled(intent, reason="automatic", is_automatic=True))
