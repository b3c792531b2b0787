"""Payment intents over the API (docs: "The PaymentIntent object", "PaymentIntent lifecycle")."""

from typing import Any

from sandbox import store
from sandbox.payments import captures, intents
from sandbox.payments.methods import resolve
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.listing import list_route
from sandbox.protocol.money import MAXIMUM_CHARGE, minimum_charge, written
from sandbox.protocol.parameters import (
    ADDRESS,
    Boolean,
    Currency,
    Either,
    Fields,
    Hash,
    Integer,
    ListOf,
    Metadata,
    NotYet,
    Text,
    merge_metadata,
)  # fmt: skip
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.payment_methods import DATA_FIELDS, attach_to_customer, create_from_data
from sandbox.store import Body

PAYMENT_INTENT = register(
    Resource(
        "payment_intent",
        references={
            "customer": "customer",
            "latest_charge": "charge",
            "on_behalf_of": "account",
            "payment_method": "payment_method",
        },
        filters={"customer": "customer"},
    )
)
list_route(PAYMENT_INTENT, "/v1/payment_intents")
search_route(PAYMENT_INTENT, "/v1/payment_intents", ("amount", "created", "currency", "customer", "metadata", "status"))
METHOD_TYPES = ListOf(Text(choices=("card", "sepa_debit")))
METHOD_DATA = Hash(DATA_FIELDS, required=("type",))
SHIPPING = Hash({"address": ADDRESS, "name": Text(), "phone": Text()}, clearable=True)
UPDATABLE: Fields = {
    "amount": Integer(1),
    "currency": Currency(),
    "customer": Text(),
    "description": Text(max_length=1000, clearable=True),
    "metadata": Metadata(),
    "payment_method": Text(),
    "payment_method_data": METHOD_DATA,
    "payment_method_types": METHOD_TYPES,
    "receipt_email": Text(clearable=True),
    "setup_future_usage": Text(choices=("off_session", "on_session"), clearable=True),
    "shipping": SHIPPING,
    "statement_descriptor": Text(max_length=22, clearable=True),
    "statement_descriptor_suffix": Text(max_length=22, clearable=True),
    "transfer_group": Text(),
    "application_fee_amount": NotYet(),
    "transfer_data": NotYet(),
    "on_behalf_of": NotYet(),
}
CONFIRMING: Fields = {
    "error_on_requires_action": Boolean(),
    "off_session": Either(Hash({}), Boolean()),
    "return_url": Text(),
    "mandate_data": Hash(
        {"customer_acceptance": Hash({"type": Text(), "offline": Hash({}), "online": Hash({"ip_address": Text(),
         "user_agent": Text()}), "accepted_at": Integer()})}
    ),
    "use_stripe_sdk": Boolean(),
}  # fmt: skip
AUTOMATIC = Hash({"enabled": Boolean(), "allow_redirects": Text(choices=("always", "never"))}, required=("enabled",))
CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
NOT_FIELDS = (*CONFIRMING, "expand", "confirm", "payment_method", "payment_method_data", "automatic_payment_methods",
              "payment_method_options", "amount", "currency", "metadata", "customer")  # fmt: skip


def check_amount(amount: int, currency: str) -> None:
    """Raises the 400 of an amount below or above what Stripe charges, in minor units."""
    if amount < minimum_charge(currency):
        raise ApiError(
            f"Amount must be at least {written(minimum_charge(currency), currency)} {currency}",
            code="amount_too_small",
            param="amount",
        )
    if amount > MAXIMUM_CHARGE:
        raise ApiError(
            f"Amount must be no more than {written(MAXIMUM_CHARGE, currency)} {currency}",
            code="amount_too_large",
            param="amount",
        )


@route(
    "POST",
    "/v1/payment_intents",
    {
        **UPDATABLE,
        **CONFIRMING,
        "automatic_payment_methods": AUTOMATIC,
        "capture_method": Text(choices=CAPTURE_METHODS),
        "confirm": Boolean(),
        "confirmation_method": Text(choices=("automatic", "manual")),
    },
    required=("amount", "currency"),
)
def create(call: Call) -> Body:
    check_amount(call["amount"], call["currency"])
    fields: dict[str, Any] = {key: value for key, value in call.params.items() if key not in NOT_FIELDS}
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    if call.get("customer"):
        fields["customer"] = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    if call.get("automatic_payment_methods", {}).get("enabled"):
        fields["automatic_payment_methods"] = {"allow_redirects": "always"} | call["automatic_payment_methods"]
        fields["payment_method_types"] = ["card"] + (["sepa_debit"] if call["currency"] == "eur" else [])
    method = _method_of(call)
    if method:
        fields |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = intents.create_intent(amount=call["amount"], currency=call["currency"], **fields)
    return _confirmed(intent, method, call) if call.get("confirm") else intent


def _method_of(call: Call) -> Body | None:
    if "payment_method_data" in call.params:
        return create_from_data(call["payment_method_data"])
    return resolve(call["payment_method"]) if call.get("payment_method") else None


def _confirmed(intent: Body, method: Body | None, call: Call) -> Body:
    if method is None:
        raise unexpected_state(
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a "
            "payment method or ConfirmationToken.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": intent},
        )
    _check_method(intent, method)
    attempt = intents.confirm_intent(
        intent,
        method,
        off_session=bool(call.get("off_session")),
        return_url=call.get("return_url"),
        fail_on_action=call.get("error_on_requires_action", False),
    )
    if attempt.error:
        raise attempt.error
    if intent["setup_future_usage"] and intent["customer"] and not method["customer"]:
        attach_to_customer(method, intent["customer"])
    return attempt.intent


def _check_method(intent: Body, method: Body) -> None:
    if method["type"] not in intent["payment_method_types"]:
        allowed = ", ".join(intent["payment_method_types"])
        raise ApiError(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent. Please attach a "
            f"PaymentMethod of one of the following types: {allowed}.",
            param="payment_method",
        )
    if method.get("_is_used_up"):
        raise ApiError(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared "
            "with a connected account without Customer attachment, or was detached from a Customer. It may not be "
            "used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
            param="payment_method",
        )


def _named(call: Call) -> Body:
    return fetch_from_url(PAYMENT_INTENT, call.ids["intent"], param="intent")


@route("GET", "/v1/payment_intents/:intent", {"client_secret": Text()})
def retrieve(call: Call) -> Body:
    return _named(call)


@route("POST", "/v1/payment_intents/:intent", UPDATABLE)
def update(call: Call) -> Body:
    intent = _named(call)
    if "metadata" in call.params:
        intent["metadata"] = merge_metadata(intent["metadata"], call["metadata"])
    is_open = intent["status"] in CONFIRMABLE
    amount, currency = call.get("amount", intent["amount"]), call.get("currency", intent["currency"])
    if not is_open and (amount, currency) != (intent["amount"], intent["currency"]):
        raise unexpected_state(
            f"This PaymentIntent's amount could not be updated because it has a status of {intent['status']}.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": intent},
        )
    if is_open:
        check_amount(amount, currency)
    intent |= {key: value for key, value in call.params.items() if key not in NOT_FIELDS}
    intent |= {"amount": amount, "currency": currency}
    if call.get("customer"):
        intent["customer"] = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    method = _method_of(call)
    if method and is_open:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return store.save(intent)


@route(
    "POST",
    "/v1/payment_intents/:intent/confirm",
    {**{k: v for k, v in UPDATABLE.items() if k not in ("amount", "currency", "customer", "metadata")}, **CONFIRMING,
     "client_secret": Text(), "capture_method": Text(choices=CAPTURE_METHODS)},
)  # fmt: skip
def confirm(call: Call) -> Body:
    intent = _named(call)
    _refuse_session_owned(intent, "confirm")
    if intent["status"] not in CONFIRMABLE:
        reason = (
            "it has already succeeded after being previously confirmed"
            if intent["status"] == "succeeded"
            else f"it has a status of {intent['status']}"
        )
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because {reason}.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": intent},
        )
    intent |= {key: value for key, value in call.params.items() if key not in (*NOT_FIELDS, "client_secret")}
    method = _method_of(call)
    if method is None and intent["payment_method"]:
        method = store.fetch("payment_method", intent["payment_method"])
    return _confirmed(intent, method, call)


def _refuse_session_owned(intent: Body, verb: str) -> None:
    """A session's intent is the session's to drive (docs: "Create a Checkout Session")."""
    if intent.get("_session"):
        raise unexpected_state(
            f"You cannot {verb} this PaymentIntent because it belongs to a Checkout Session.",
            code="payment_intent_unexpected_state",
            details={"payment_intent": intent},
        )


@route("POST", "/v1/payment_intents/:intent/capture", {"amount_to_capture": Integer(1), "metadata": Metadata()})
def capture(call: Call) -> Body:
    return captures.capture_intent(_named(call), amount=call.get("amount_to_capture"))


CANCELLATION_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


@route("POST", "/v1/payment_intents/:intent/cancel", {"cancellation_reason": Text(choices=CANCELLATION_REASONS)})
def cancel(call: Call) -> Body:
    intent = _named(call)
    _refuse_session_owned(intent, "cancel")
    return captures.cancel_intent(intent, reason=call.get("cancellation_reason"))
