"""Payment intents over the API (docs: "The PaymentIntent object", "PaymentIntent lifecycle")."""

from typing import Any

from sandbox import store
from sandbox.connect.share_parameters import check_share
from sandbox.payments import intents
from sandbox.payments.followers import call_followers
from sandbox.payments.intent_parameters import (
    acceptance_of,
    automatic_methods,
    check_confirming,
    check_return_url,
    configuration,
    enabled_types,
    require_types,
)
from sandbox.payments.method_checks import check_method, check_owner
from sandbox.payments.method_data import create_from_data
from sandbox.payments.methods import complete_shipping, resolve
from sandbox.protocol.amounts import check_charge
from sandbox.protocol.errors import ApiError, unexpected_state
from sandbox.protocol.listing import list_route
from sandbox.protocol.parameters import Integer, ListOf, Spec, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.payment_methods import METHOD_DATA, PAGED
from sandbox.store import Body

PAYMENT_INTENT = register(
    Resource(
        "payment_intent",
        references={
            "customer": "customer",
            "latest_charge": "charge",
            "on_behalf_of": "account",
            "payment_method": "payment_method",
            "transfer_data.destination": "account",
        },
        filters={"customer": "customer"},
    )
)
list_route(
    PAYMENT_INTENT, "/v1/payment_intents", dict(published("PaymentIntentListParams", *PAGED, "created", "customer"))
)
search_route(PAYMENT_INTENT, "/v1/payment_intents", ("amount", "created", "currency", "customer", "metadata", "status"))
OPTIONS = (
    "payment_method_options.card.capture_method",
    "payment_method_options.card.request_three_d_secure",
    "payment_method_options.card.setup_future_usage",
    "payment_method_options.sepa_debit.setup_future_usage",
    "payment_method_options.us_bank_account.setup_future_usage",
    "payment_method_options.us_bank_account.verification_method",
)
# Fields that are stored as they were sent; other modules use them when the payment is made.
COPIED = (
    "application_fee_amount", "capture_method", "confirmation_method", "description", "on_behalf_of",
    "payment_details", "receipt_email", "setup_future_usage", "shipping", "statement_descriptor",
    "statement_descriptor_suffix", "transfer_data", "transfer_group",
)  # fmt: skip
LIMITS: dict[str, Spec] = {
    "payment_method_data": METHOD_DATA,
    "payment_method_types": ListOf(Text()),
}
TEXTS: dict[str, Spec] = {
    "description": Text(max_length=1000, clearable=True),
    "statement_descriptor": Text(max_length=22, clearable=True),
    "statement_descriptor_suffix": Text(max_length=22, clearable=True),
}
CONFIRMING = ("error_on_requires_action", "mandate_data", "off_session", "return_url", "use_stripe_sdk")
LABEL = "PaymentIntent"
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


@route(
    "POST",
    "/v1/payment_intents",
    published(
        "PaymentIntentCreateParams",
        *COPIED,
        *CONFIRMING,
        *OPTIONS,
        "automatic_payment_methods",
        "confirm",
        "currency",
        "customer",
        "metadata",
        "payment_method",
        amount=Integer(1),
        **LIMITS,
        **TEXTS,
    ),
)
def create(call: Call) -> Body:
    check_confirming(call, LABEL)
    check_charge(call["amount"], call["currency"])
    fields = _new_fields(call)
    method = method_of(call)
    if method:
        check_owner("payment_intent", fields.get("customer"), method)
        fields |= {"payment_method": method["id"], "status": "requires_confirmation"}
    intent = intents.create_intent(amount=call["amount"], currency=call["currency"], **fields)
    return confirmed(intent, method, call) if call.get("confirm") else intent


def copied(call: Call) -> Body:
    """The fields that are stored as they were sent; shipping details are completed with all of Stripe's keys."""
    fields: Body = {name: call[name] for name in COPIED if name in call.params}
    return fields | ({"shipping": complete_shipping(fields["shipping"])} if "shipping" in fields else {})


def _new_fields(call: Call) -> dict[str, Any]:
    fields: dict[str, Any] = copied(call)
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    _check_connect(call)
    if call.get("customer"):
        fields["customer"] = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    automatic = call.get("automatic_payment_methods")
    if automatic and "confirmation_method" in call.params:
        raise ApiError(
            "You may only specify one of these parameters: automatic_payment_methods, confirmation_method.",
            param="automatic_payment_methods",
        )
    if "payment_method_types" in call.params:
        fields["payment_method_types"] = require_types(call["payment_method_types"], call["currency"])
    elif automatic is None or automatic["enabled"]:
        fields["automatic_payment_methods"] = automatic_methods(automatic)
        fields["payment_method_configuration_details"] = configuration()
        fields["payment_method_types"] = enabled_types(call["currency"])
    types = fields.get("payment_method_types", ["card"])
    fields["payment_method_options"] = intents.method_options(types, call.get("payment_method_options", {}))
    return fields


def _check_connect(call: Call, intent: Body | None = None) -> None:
    """Check the fees and transfers to a connected account, as they would be after this call."""
    names = ("application_fee_amount", "on_behalf_of", "transfer_data")
    shared = {name: call.get(name, (intent or {}).get(name)) for name in names}
    shared["transfer_data"] = ((intent or {}).get("transfer_data") or {}) | (call.get("transfer_data") or {})
    if any(name in call.params for name in names):
        check_share(shared, amount=call.get("amount", (intent or {}).get("amount")))


def method_of(call: Call) -> Body | None:
    """The payment method that a call names, or a new one from `payment_method_data`; None without either."""
    if "payment_method_data" in call.params:
        return create_from_data(call["payment_method_data"])
    return resolve(call["payment_method"]) if call.get("payment_method") else None


def confirmed(intent: Body, method: Body | None, call: Call) -> Body:
    """Confirm the intent with this method and return it. Raises Stripe's error if it is refused or declined."""
    if method is None:
        raise _missing_method(intent)
    check_return_url(intent, call, LABEL)
    check_method(intent, method)
    attempt = intents.confirm_intent(
        intent,
        method,
        off_session=bool(call.get("off_session")),
        return_url=None if call.get("use_stripe_sdk") else call.get("return_url"),
        fail_on_action=call.get("error_on_requires_action", False),
        acceptance=acceptance_of(call),
    )
    call_followers(attempt.intent)
    if attempt.error:
        raise attempt.error
    return attempt.intent


def _missing_method(intent: Body) -> ApiError:
    advice = (
        f"To confirm the PaymentIntent with {intent['customer']}, specify a payment method attached to this customer "
        "along with the customer ID."
        if intent["customer"]
        else "You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it "
        "again directly with a payment method or ConfirmationToken."
    )
    return wrong_state(f"You cannot confirm this PaymentIntent because it's missing a payment method. {advice}", intent)


def wrong_state(message: str, intent: Body) -> ApiError:
    """The 400 for a step that the intent's status does not allow; its details include the intent."""
    return unexpected_state(message, code="payment_intent_unexpected_state", details={"payment_intent": intent})


def named_intent(call: Call) -> Body:
    """The intent whose id is in the URL. Raises Stripe's 404."""
    return fetch_from_url(PAYMENT_INTENT, call.ids["intent"], param="intent")


@route("GET", "/v1/payment_intents/:intent", published("PaymentIntentRetrieveParams", "client_secret"))
def retrieve(call: Call) -> Body:
    intent = named_intent(call)
    if call.get("client_secret", intent["client_secret"]) != intent["client_secret"]:
        raise ApiError(
            "The client_secret provided does not match the client_secret associated with the PaymentIntent.",
            code="payment_intent_invalid_parameter",
            param="client_secret",
        )
    return intent


@route(
    "POST",
    "/v1/payment_intents/:intent",
    published(
        "PaymentIntentUpdateParams",
        *(name for name in COPIED if name not in ("confirmation_method", "on_behalf_of")),
        *OPTIONS,
        "currency",
        "customer",
        "metadata",
        "payment_method",
        amount=Integer(1),
        **LIMITS,
        **TEXTS,
    ),
)
def update(call: Call) -> Body:
    intent = named_intent(call)
    is_open = intent["status"] in OPEN
    amount, currency = call.get("amount", intent["amount"]), call.get("currency", intent["currency"])
    if not is_open and (amount, currency) != (intent["amount"], intent["currency"]):
        raise wrong_state(
            f"This PaymentIntent's amount could not be updated because it has a status of {intent['status']}. You "
            "may only update the amount of a PaymentIntent with one of the following statuses: "
            f"{', '.join(OPEN)}.",
            intent,
        )
    if is_open:
        check_charge(amount, currency)
    _change_customer(intent, call)
    _check_connect(call, intent)
    if "metadata" in call.params:
        intent["metadata"] = merge_metadata(intent["metadata"], call["metadata"])
    changed = copied(call)
    if call.get("transfer_data"):
        # The destination cannot be changed, only the amount.
        changed["transfer_data"] = (intent["transfer_data"] or {}) | call["transfer_data"]
    intent |= changed | {"amount": amount, "currency": currency}
    change_types(intent, call)
    method = method_of(call)
    if is_open and call.get("payment_method", "") is None:
        intent |= {"payment_method": None, "status": "requires_payment_method", "next_action": None}
    if method and is_open:
        check_owner("payment_intent", intent["customer"], method)
        intent |= {"payment_method": method["id"], "status": "requires_confirmation", "next_action": None}
    return store.save(intent)


def _change_customer(intent: Body, call: Call) -> None:
    if "customer" not in call.params:
        return
    customer = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    if intent["customer"] and customer != intent["customer"]:
        raise ApiError(
            "You cannot modify `customer` on a PaymentIntent once it already has been set. To fulfill a payment with a "
            "different Customer, cancel this PaymentIntent and create a new one.",
            param="customer",
            details={"payment_intent": intent},
        )
    intent["customer"] = customer


def change_types(intent: Body, call: Call) -> None:
    """Change the payment method types and options of an intent as the call says."""
    if "payment_method_types" in call.params:
        intent["payment_method_types"] = require_types(call["payment_method_types"], intent["currency"])
        intent |= {"automatic_payment_methods": None, "payment_method_configuration_details": None}
    elif intent["automatic_payment_methods"]:
        intent["payment_method_types"] = enabled_types(intent["currency"])
    given = {
        kind: (intent["payment_method_options"].get(kind) or {}) | (change or {})
        for kind, change in call.get("payment_method_options", {}).items()
    }
    options = intent["payment_method_options"] | given
    intent["payment_method_options"] = intents.method_options(intent["payment_method_types"], options)
