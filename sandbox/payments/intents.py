"""Payment intents: the life of one wish to be paid, through attempts, challenges and captures.

These functions change the stored intent and emit its events. A declined attempt is not an exception:
it is an `Attempt` with an error, because the failed charge has to stay.
"""

from dataclasses import dataclass
from typing import Any

from sandbox import clock, identifiers, schedule, store
from sandbox.options import options
from sandbox.payments import charges
from sandbox.payments.balance import record_charge_income
from sandbox.payments.declines import AUTHENTICATION_REQUIRED, Decline
from sandbox.payments.methods import card_behaviour, iban_behaviour
from sandbox.payments.test_cards import ALWAYS, LOOKUP_FAILS, UNLESS_SET_UP
from sandbox.protocol.errors import DOC_URL, ApiError
from sandbox.protocol.resource import presented
from sandbox.store import Body
from sandbox.webhooks.events import emit

FAILED_AUTHENTICATION = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again."
)
_NULL = (
    "application", "application_fee_amount", "automatic_payment_methods", "canceled_at", "cancellation_reason",
    "customer", "customer_account", "description", "excluded_payment_method_types", "last_payment_error",
    "latest_charge", "next_action", "on_behalf_of", "payment_method", "payment_method_configuration_details",
    "processing", "receipt_email", "review", "setup_future_usage", "shipping", "source",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """What became of a confirmation; `error` is set when it was declined."""

    intent: Body
    error: ApiError | None = None


def create_intent(*, amount: int, currency: str, **fields: Any) -> Body:
    """A stored intent waiting for a payment method; emits payment_intent.created."""
    intent_id = identifiers.new_id("pi_3", 23)
    intent: Body = {
        "id": intent_id,
        "object": "payment_intent",
        **dict.fromkeys(_NULL),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{identifiers.token(25)}",
        "confirmation_method": "automatic",
        "created": clock.now(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        **fields,
    }
    store.insert(intent)
    emit("payment_intent.created", intent)
    return intent


def confirm_intent(
    intent: Body,
    method: Body,
    *,
    off_session: bool = False,
    return_url: str | None = None,
    fail_on_action: bool = False,
) -> Attempt:
    """Try to take the money with this method, or ask the buyer to authenticate first."""
    intent |= {"payment_method": method["id"], "next_action": None}
    if method["type"] == "sepa_debit":
        return _start_debit(intent, method)
    card = card_behaviour(method)
    is_challenged = card.challenge == ALWAYS or (card.challenge == UNLESS_SET_UP and not method.get("_is_set_up"))
    if card.challenge == LOOKUP_FAILS and card.decline:
        return _decline(intent, method, card.decline)
    if is_challenged and (off_session or fail_on_action):
        return _decline(intent, method, AUTHENTICATION_REQUIRED)
    if is_challenged:
        return _ask_for_authentication(intent, return_url)
    if card.decline:
        return _decline(intent, method, card.decline)
    return _succeed(intent, method)


def finish_authentication(intent: Body, *, passed: bool) -> Attempt:
    """The buyer came back from 3-D Secure."""
    method = store.fetch("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if not passed:
        return _fail_authentication(intent, method)
    decline = card_behaviour(method).decline
    if decline:
        return _decline(intent, method, decline, authenticated=True)
    return _succeed(intent, method, authenticated=True)


def _ask_for_authentication(intent: Body, return_url: str | None) -> Attempt:
    page = f"{options().public_url}/3ds/{intent['id']}"
    action = (
        {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
        if return_url
        else {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page}}
    )
    intent |= {"status": "requires_action", "next_action": action, "last_payment_error": None}
    store.save(intent)
    emit("payment_intent.requires_action", intent)
    return Attempt(intent)


def _succeed(intent: Body, method: Body, *, authenticated: bool = False) -> Attempt:
    charge = charges.build_charge(intent, method, three_d_secure=authenticated)
    charges.note_card_behaviour(charge, method)
    is_manual = intent["capture_method"] == "manual"
    charges.mark_succeeded(charge, amount_captured=None if is_manual else intent["amount"])
    if intent["capture_method"] == "automatic":
        record_charge_income(charge)
    charges.stored(charge)
    intent |= {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None, "processing": None}
    emit("charge.succeeded", charge)
    if intent["setup_future_usage"]:
        method["_is_set_up"] = True
    if is_manual:
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        store.save(intent)
        emit("payment_intent.amount_capturable_updated", intent)
        return Attempt(intent)
    if intent["capture_method"] == "automatic_async":
        charges.settle_later(charge)
    _mark_paid(intent, intent["amount"])
    if not method["customer"]:
        method["_is_used_up"] = True
    store.save(method)
    return Attempt(intent)


def _mark_paid(intent: Body, amount: int, *, is_automatic: bool = False) -> None:
    intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
    store.save(intent)
    emit("payment_intent.succeeded", intent, is_automatic=is_automatic)


def _decline(intent: Body, method: Body, decline: Decline, *, authenticated: bool = False) -> Attempt:
    charge = charges.build_charge(intent, method, three_d_secure=authenticated)
    charges.mark_failed(charge, decline)
    charges.stored(charge)
    error = decline_details(decline, method) | {"charge": charge["id"]}
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "latest_charge": charge["id"],
        "last_payment_error": dict(sorted(error.items())),
    }
    store.save(intent)
    emit("charge.failed", charge)
    emit("payment_intent.payment_failed", intent)
    return Attempt(intent, decline_error(decline, {"charge": charge["id"], "payment_intent": intent}, method))


def decline_details(decline: Decline, method: Body) -> Body:
    """A decline as `last_payment_error` shows it."""
    details = {
        "advice_code": decline.advice_code,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": DOC_URL + decline.code.replace("_", "-"),
        "message": decline.message,
        "network_decline_code": decline.network_decline_code,
        "param": decline.param,
        "payment_method": presented(method),
        "type": "card_error",
    }
    return {key: value for key, value in details.items() if value is not None}


def decline_error(decline: Decline, details: Body, method: Body) -> ApiError:
    """A decline as the 402 a client gets."""
    extra = {
        "advice_code": decline.advice_code,
        "decline_code": decline.decline_code,
        "network_decline_code": decline.network_decline_code,
    }
    return ApiError(
        decline.message,
        status=402,
        kind="card_error",
        code=decline.code,
        param=decline.param,
        keeps_changes=True,
        details={k: v for k, v in extra.items() if v} | details | {"payment_method": method},
    )


def _fail_authentication(intent: Body, method: Body) -> Attempt:
    code = "payment_intent_authentication_failure"
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "last_payment_error": {
            "code": code,
            "doc_url": DOC_URL + code.replace("_", "-"),
            "message": FAILED_AUTHENTICATION,
            "payment_method": presented(method),
            "type": "invalid_request_error",
        },
    }
    store.save(intent)
    emit("payment_intent.payment_failed", intent)
    error = ApiError(FAILED_AUTHENTICATION, code=code, keeps_changes=True, details={"payment_intent": intent})
    return Attempt(intent, error)


def _start_debit(intent: Body, method: Body) -> Attempt:
    """A bank debit: accepted now, answered by the bank later (docs: "SEPA Direct Debit payments")."""
    charge = charges.build_charge(intent, method)
    charges.stored(charge)
    intent |= {"status": "processing", "latest_charge": charge["id"], "last_payment_error": None}
    store.save(intent)
    emit("payment_intent.processing", intent)
    emit("charge.pending", charge)
    delay = options().async_delay + iban_behaviour(method).extra_delay
    schedule.schedule("answer_debit", intent["id"], after=delay)
    return Attempt(intent)
