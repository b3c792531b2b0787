"""Setup intents: verify a payment method for later use without charging it (docs: "The SetupIntent object").

As with payments, a refused setup returns an `Attempt` with an error, because its records must be committed.
"""

from typing import Any

from sandbox import clock, identifiers, store
from sandbox.options import options
from sandbox.payments.attempts import Attempt
from sandbox.payments.debits import needs_microdeposits, request_microdeposits
from sandbox.payments.declines import Decline
from sandbox.payments.mandates import BANK_DEBITS, create_mandate
from sandbox.payments.methods import card_behaviour
from sandbox.payments.published_cards import ALWAYS, IF_REQUESTED, LOOKUP_FAILS, UNLESS_SET_UP
from sandbox.payments.refusals import decline_details, decline_error
from sandbox.payments.saving import mark_attached
from sandbox.payments.setup_attempts import record_attempt
from sandbox.protocol.errors import DOC_URL, ApiError, unexpected_state
from sandbox.protocol.resource import presented
from sandbox.store import Body
from sandbox.webhooks.events import emit

FAILED_AUTHENTICATION = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this SetupIntent again."
)
CANCELABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_NULL = (
    "application", "automatic_payment_methods", "cancellation_reason", "customer", "customer_account", "description",
    "excluded_payment_method_types", "flow_directions", "last_setup_error", "latest_attempt", "mandate",
    "next_action", "on_behalf_of", "payment_method", "payment_method_configuration_details", "single_use_mandate",
)  # fmt: skip


def create_setup_intent(**fields: Any) -> Body:
    """Create a setup intent that requires a payment method; emits setup_intent.created."""
    intent_id = identifiers.new_id("seti_1", 23)
    types = fields.get("payment_method_types", ["card"])
    given = fields.pop("payment_method_options", {})
    intent: Body = {
        "id": intent_id,
        "object": "setup_intent",
        **dict.fromkeys(_NULL),
        "client_secret": f"{intent_id}_secret_{identifiers.token(31)}",
        "created": clock.now(),
        "livemode": False,
        "metadata": {},
        "payment_method_options": setup_options(types, given),
        "payment_method_types": types,
        "status": "requires_payment_method",
        "usage": "off_session",
        **fields,
    }
    store.insert(intent)
    emit("setup_intent.created", intent)
    return intent


def setup_options(types: list[str], given: Body) -> Body:
    """A setup intent's `payment_method_options`: the defaults of each of its types, overridden by the given options."""
    defaults: Body = {
        "card": {"mandate_options": None, "network": None, "request_three_d_secure": "automatic"},
        "sepa_debit": {},
        "us_bank_account": {"verification_method": "automatic"},
    }
    return {kind: defaults.get(kind, {}) | (given.get(kind) or {}) for kind in types}


def confirm_setup_intent(
    intent: Body, method: Body, *, return_url: str | None = None, acceptance: Body | None = None
) -> Attempt:
    """Verify the method without charging it, or ask the buyer to authenticate first."""
    intent |= {"payment_method": method["id"], "next_action": None}
    if method["type"] in BANK_DEBITS:
        if needs_microdeposits(intent, method):
            record_attempt(intent, method, status="requires_action")
            return request_microdeposits(intent, acceptance)
        return _succeed(intent, method, acceptance=acceptance)
    card = card_behaviour(method)
    if card.challenge == LOOKUP_FAILS and card.decline:
        return _refuse(intent, method, card.decline)
    if _is_challenged(intent, method):
        return _request_authentication(intent, method, return_url)
    if card.decline and not card.can_attach:
        return _refuse(intent, method, card.decline)
    return _succeed(intent, method)


def _is_challenged(intent: Body, method: Body) -> bool:
    challenge = card_behaviour(method).challenge
    wanted = (intent["payment_method_options"].get("card") or {}).get("request_three_d_secure")
    return challenge in (ALWAYS, UNLESS_SET_UP) or (challenge == IF_REQUESTED and wanted in ("any", "challenge"))


def finish_setup_authentication(intent: Body, *, passed: bool) -> Attempt:
    """Continue a setup after 3-D Secure. Cards that are declined after 3-D Secure are so only when charged."""
    method = store.fetch("payment_method", intent["payment_method"])
    intent["next_action"] = None
    return _succeed(intent, method, authenticated=True) if passed else _fail_authentication(intent, method)


def _request_authentication(intent: Body, method: Body, return_url: str | None) -> Attempt:
    page = f"{options().public_url}/3ds/{intent['id']}"
    action: Body = {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
    }
    if return_url:
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": page}}
    intent |= {"status": "requires_action", "next_action": action, "last_setup_error": None}
    record_attempt(intent, method, status="requires_action")
    store.save(intent)
    emit("setup_intent.requires_action", intent)
    return Attempt(intent)


def _succeed(intent: Body, method: Body, *, authenticated: bool = False, acceptance: Body | None = None) -> Attempt:
    mandate = create_mandate(method, acceptance=acceptance)
    method["_is_set_up"] = True
    store.save(method)
    if intent["customer"]:
        mark_attached(method, intent["customer"])
    record_attempt(intent, method, status="succeeded", authenticated=authenticated)
    intent |= {
        "status": "succeeded",
        "mandate": mandate["id"] if mandate else None,
        "last_setup_error": None,
        "next_action": None,
    }
    store.save(intent)
    emit("setup_intent.succeeded", intent)
    return Attempt(intent)


def _refuse(intent: Body, method: Body, decline: Decline) -> Attempt:
    error = decline_details(decline, method)
    _fail(intent, method, error)
    return Attempt(intent, decline_error(decline, {"setup_intent": intent}, method))


def _fail_authentication(intent: Body, method: Body) -> Attempt:
    code = "setup_intent_authentication_failure"
    error: Body = {
        "code": code,
        "doc_url": DOC_URL + code.replace("_", "-"),
        "message": FAILED_AUTHENTICATION,
        "payment_method": presented(method),
        "type": "invalid_request_error",
    }
    _fail(intent, method, error)
    failure = ApiError(FAILED_AUTHENTICATION, code=code, keeps_changes=True, details={"setup_intent": intent})
    return Attempt(intent, failure)


def _fail(intent: Body, method: Body, error: Body) -> None:
    record_attempt(intent, method, status="failed", error=error)
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_setup_error": dict(sorted(error.items())),
    }
    store.save(intent)
    emit("setup_intent.setup_failed", intent)


def verify_setup(intent: Body) -> Attempt:
    """Complete a setup after its bank account was verified by microdeposits."""
    method = store.fetch("payment_method", intent["payment_method"])
    store.save(method | {"_is_verified": True})
    return _succeed(intent, method | {"_is_verified": True}, acceptance=intent.pop("_acceptance", None))


def cancel_setup_intent(intent: Body, *, reason: str | None, is_automatic: bool = False) -> Body:
    """Cancel a setup intent. Raises Stripe's 400 if its status does not allow that."""
    if intent["status"] == "canceled":
        raise _wrong_state("You cannot cancel this SetupIntent because it is already canceled.", intent)
    if intent["status"] not in CANCELABLE:
        raise _wrong_state(
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}. Only a SetupIntent "
            "with one of the following statuses may be canceled: `requires_payment_method`, "
            "`requires_confirmation`, or `requires_action`.",
            intent,
        )
    intent |= {"status": "canceled", "cancellation_reason": reason, "next_action": None}
    store.save(intent)
    emit("setup_intent.canceled", intent, is_automatic=is_automatic)
    return intent


def check_confirmable(intent: Body) -> None:
    """Raise Stripe's 400 if a setup has succeeded or was canceled."""
    over = {"succeeded": "it has already succeeded", "canceled": "it has been canceled"}
    if intent["status"] in over:
        raise _wrong_state(f"You cannot confirm this SetupIntent because {over[intent['status']]}.", intent)


def _wrong_state(message: str, intent: Body) -> ApiError:
    return unexpected_state(message, code="setup_intent_unexpected_state", details={"setup_intent": intent})
