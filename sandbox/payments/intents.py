"""Payment intents: confirmation, authentication, success and failure.

These functions change the stored intent and emit its events. A declined attempt does not raise; it returns an `Attempt`
with an error, because the failed charge must be committed.
"""

from typing import Any

from sandbox import clock, identifiers, store
from sandbox.options import options
from sandbox.payments import charges
from sandbox.payments.attempts import Attempt
from sandbox.payments.balance import acting_application, record_charge_income
from sandbox.payments.debits import start_debit
from sandbox.payments.declines import AUTHENTICATION_REQUIRED, Decline
from sandbox.payments.mandates import BANK_DEBITS
from sandbox.payments.methods import card_behaviour
from sandbox.payments.published_cards import ALWAYS, IF_REQUESTED, LOOKUP_FAILS, ON_SESSION, UNLESS_SET_UP
from sandbox.payments.refusals import decline_details, decline_error
from sandbox.payments.saving import mark_attached
from sandbox.protocol.errors import DOC_URL, ApiError
from sandbox.protocol.resource import presented
from sandbox.store import Body
from sandbox.webhooks.events import emit

FAILED_AUTHENTICATION = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again."
)
_NULL = (
    "application_fee_amount", "automatic_payment_methods", "canceled_at", "cancellation_reason",
    "customer", "customer_account", "description", "excluded_payment_method_types", "last_payment_error",
    "latest_charge", "next_action", "on_behalf_of", "payment_method", "payment_method_configuration_details",
    "processing", "receipt_email", "review", "setup_future_usage", "shipping", "source",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip


def create_intent(*, amount: int, currency: str, **fields: Any) -> Body:
    """Create an intent that requires a payment method; `amount` in minor units. Emits payment_intent.created."""
    intent_id = identifiers.new_id("pi_3", 23)
    intent: Body = {
        "id": intent_id,
        "object": "payment_intent",
        **dict.fromkeys(_NULL),
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": acting_application(),
        "capture_method": "automatic_async",
        "client_secret": f"{intent_id}_secret_{identifiers.token(25)}",
        "confirmation_method": "automatic",
        "created": clock.now(),
        "currency": currency,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "payment_method_options": method_options(fields.get("payment_method_types", ["card"]), {}),
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        **fields,
    }
    if isinstance(intent["transfer_data"], dict) and not intent["transfer_group"]:
        # Groups a destination charge with its transfer (docs: "Create destination charges").
        intent["transfer_group"] = f"group_{intent_id}"
    store.insert(intent)
    emit("payment_intent.created", intent)
    return intent


def method_options(types: list[str], given: Body) -> Body:
    """An intent's `payment_method_options`: the defaults of each of its types, overridden by the given options."""
    defaults: Body = {
        "card": {
            "installments": None,
            "mandate_options": None,
            "network": None,
            "request_three_d_secure": "automatic",
        },
        "sepa_debit": {},
        "us_bank_account": {"verification_method": "automatic"},
    }
    return {kind: defaults.get(kind, {}) | (given.get(kind) or {}) for kind in types}


def future_usage(intent: Body, method: Body) -> str | None:
    """The intended future use of the method, or None; the option of its type overrides the intent's."""
    option = (intent["payment_method_options"].get(method["type"]) or {}).get("setup_future_usage")
    usage = option or intent["setup_future_usage"]
    return None if usage == "none" else usage


def _is_manual(intent: Body) -> bool:
    card_options = intent["payment_method_options"].get("card") or {}
    return intent["capture_method"] == "manual" or card_options.get("capture_method") == "manual"


def confirm_intent(  # noqa: PLR0913 -- the circumstances of a confirmation
    intent: Body,
    method: Body,
    *,
    off_session: bool = False,
    return_url: str | None = None,
    fail_on_action: bool = False,
    acceptance: Body | None = None,
) -> Attempt:
    """Try to charge this method, or ask the buyer to authenticate first."""
    intent |= {"payment_method": method["id"], "next_action": None}
    if method["type"] in BANK_DEBITS:
        return start_debit(intent, method, usage=future_usage(intent, method), acceptance=acceptance)
    card = card_behaviour(method)
    is_authenticated = intent.pop("_is_authenticated", None) == method["id"]
    is_challenged = not is_authenticated and is_challenged_for(intent, method, off_session=off_session)
    if card.challenge == LOOKUP_FAILS and card.decline:
        return _decline(intent, method, card.decline)
    if is_challenged and (off_session or fail_on_action):
        return _decline(intent, method, AUTHENTICATION_REQUIRED)
    if is_challenged:
        return _request_authentication(intent, return_url)
    if card.decline:
        return _decline(intent, method, card.decline, authenticated=is_authenticated)
    return _succeed(intent, method, authenticated=is_authenticated)


def is_challenged_for(intent: Body, method: Body, *, off_session: bool) -> bool:
    """Whether the card's bank requires authentication for this payment."""
    challenge = card_behaviour(method).challenge
    options_of_card = intent["payment_method_options"].get("card") or {}
    is_requested = options_of_card.get("request_three_d_secure") in ("any", "challenge")
    return (
        challenge == ALWAYS
        or (challenge == UNLESS_SET_UP and not method.get("_is_set_up"))
        or (challenge == ON_SESSION and not off_session)
        or (challenge == IF_REQUESTED and is_requested)
    )


def finish_authentication(intent: Body, *, passed: bool) -> Attempt:
    """Continue a payment after 3-D Secure."""
    method = store.fetch("payment_method", intent["payment_method"])
    intent["next_action"] = None
    if not passed:
        return _fail_authentication(intent, method)
    if intent["confirmation_method"] == "manual":
        # The server must confirm once more (docs: "Finalize payments on the server").
        intent |= {"status": "requires_confirmation", "_is_authenticated": method["id"]}
        store.save(intent)
        return Attempt(intent)
    decline = card_behaviour(method).decline
    if decline:
        return _decline(intent, method, decline, authenticated=True)
    return _succeed(intent, method, authenticated=True)


def _request_authentication(intent: Body, return_url: str | None) -> Attempt:
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
    is_manual = _is_manual(intent)
    charges.mark_succeeded(charge, amount_captured=None if is_manual else intent["amount"])
    if intent["capture_method"] == "automatic" and not is_manual:
        record_charge_income(charge)
    charges.stored(charge)
    intent |= {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None, "processing": None}
    emit("charge.succeeded", charge)
    _keep_or_use_up(intent, method)
    if is_manual:
        intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
        store.save(intent)
        emit("payment_intent.amount_capturable_updated", intent)
        return Attempt(intent)
    if intent["capture_method"] == "automatic_async":
        charges.settle_later(charge)
    _mark_paid(intent, intent["amount"])
    return Attempt(intent)


def _keep_or_use_up(intent: Body, method: Body) -> None:
    """Attach the method to the customer for later use, or mark it as used up."""
    usage = future_usage(intent, method)
    if usage:
        method["_is_set_up"] = True
    if not method["customer"] and not (usage and intent["customer"]):
        method["_is_used_up"] = True
    store.save(method)
    if usage and intent["customer"]:
        mark_attached(method, intent["customer"])


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
