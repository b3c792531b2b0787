"""Status transitions of payment intents: confirm, capture, cancel, verify microdeposits."""

from sandbox import store
from sandbox.payments import captures, microdeposits
from sandbox.payments.followers import call_followers
from sandbox.protocol.errors import ApiError
from sandbox.protocol.parameters import Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.routing import Call, route
from sandbox.resources.payment_intents import (
    CONFIRMING,
    LIMITS,
    OPEN,
    OPTIONS,
    change_types,
    confirmed,
    copied,
    method_of,
    named_intent,
    wrong_state,
)
from sandbox.store import Body


@route(
    "POST",
    "/v1/payment_intents/:intent/confirm",
    {
        **published(
            "PaymentIntentConfirmParams",
            *CONFIRMING,
            *OPTIONS,
            "capture_method",
            "payment_details",
            "payment_method",
            "receipt_email",
            "setup_future_usage",
            "shipping",
            **LIMITS,
        ),
        "client_secret": Text(),
    },
)
def confirm(call: Call) -> Body:
    intent = named_intent(call)
    _refuse_session_owned(intent, "confirm")
    if intent["status"] not in OPEN:
        reasons = {
            "succeeded": "it has already succeeded after being previously confirmed",
            "canceled": "it has been canceled",
        }
        reason = reasons.get(intent["status"], f"it has a status of {intent['status']}")
        raise wrong_state(f"You cannot confirm this PaymentIntent because {reason}.", intent)
    intent |= copied(call)
    change_types(intent, call)
    method = method_of(call)
    if method is None and intent["payment_method"]:
        method = store.fetch("payment_method", intent["payment_method"])
    return confirmed(intent, method, call)


def _refuse_session_owned(intent: Body, verb: str) -> None:
    """Refuse an intent that belongs to a Checkout Session (docs: "Create a Checkout Session")."""
    if intent.get("_session"):
        raise wrong_state(f"You cannot {verb} this PaymentIntent because it belongs to a Checkout Session.", intent)


@route(
    "POST",
    "/v1/payment_intents/:intent/capture",
    published(
        "PaymentIntentCaptureParams",
        "application_fee_amount",
        "metadata",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        amount_to_capture=Integer(1),
    ),
)
def capture(call: Call) -> Body:
    intent = named_intent(call)
    if "metadata" in call.params:
        intent["metadata"] = merge_metadata(intent["metadata"], call["metadata"])
    for name in ("application_fee_amount", "statement_descriptor", "statement_descriptor_suffix"):
        if name in call.params:
            intent[name] = call[name]
    if "transfer_data" in call.params:
        intent["transfer_data"] = (intent["transfer_data"] or {}) | call["transfer_data"]
    captured = captures.capture_intent(intent, amount=call.get("amount_to_capture"))
    call_followers(captured)
    return captured


@route("POST", "/v1/payment_intents/:intent/cancel", published("PaymentIntentCancelParams", "cancellation_reason"))
def cancel(call: Call) -> Body:
    intent = named_intent(call)
    _refuse_session_owned(intent, "cancel")
    canceled = captures.cancel_intent(intent, reason=call.get("cancellation_reason"))
    call_followers(canceled)
    return canceled


@route(
    "POST",
    "/v1/payment_intents/:intent/verify_microdeposits",
    published("PaymentIntentVerifyMicrodepositsParams", "amounts", "descriptor_code"),
)
def verify_microdeposits(call: Call) -> Body:
    attempt = microdeposits.verify(
        named_intent(call), amounts=call.get("amounts"), descriptor_code=call.get("descriptor_code")
    )
    call_followers(attempt.intent)
    return attempt.intent


@route(
    "POST",
    "/v1/payment_intents/:intent/increment_authorization",
    published("PaymentIntentIncrementAuthorizationParams", "amount", "metadata"),
)
def increment_authorization(call: Call) -> Body:
    raise ApiError(
        "This PaymentIntent is not eligible for an incremental authorization: the sandbox's cards do not support it.",
        code="payment_intent_invalid_parameter",
        details={"payment_intent": named_intent(call)},
        is_executed=True,
    )
