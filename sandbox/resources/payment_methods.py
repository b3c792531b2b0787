"""Payment methods (docs: "The PaymentMethod object")."""

from sandbox import store
from sandbox.payments.detaching import detach_method
from sandbox.payments.method_data import create_from_data
from sandbox.payments.methods import billing_details, from_alias
from sandbox.payments.saving import attach_to_customer
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import list_route
from sandbox.protocol.parameters import Hash, Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import emit

PAGED = ("limit", "starting_after", "ending_before")
PAYMENT_METHOD = register(
    Resource(
        "payment_method",
        references={"customer": "customer"},
        filters={"customer": "customer", "type": "subtype", "allow_redisplay": "body__allow_redisplay"},
        label="PaymentMethod",
    )
)
list_route(
    PAYMENT_METHOD,
    "/v1/payment_methods",
    dict(published("PaymentMethodListParams", *PAGED, "customer", "type", "allow_redisplay")),
)
# The published types have two hashes here, a card's details or its token; this one accepts either.
CARD = Hash({"number": Text(), "exp_month": Integer(), "exp_year": Integer(), "cvc": Text(), "token": Text()})
CREATION = published(
    "PaymentMethodCreateParams",
    "allow_redisplay",
    "billing_details",
    "metadata",
    "sepa_debit",
    "type",
    "us_bank_account.account_holder_type",
    "us_bank_account.account_number",
    "us_bank_account.account_type",
    "us_bank_account.routing_number",
    card=CARD,
)
# The parameter `payment_method_data`, which replaces the id of a payment method.
METHOD_DATA = Hash(CREATION, required=("type",))


@route("POST", "/v1/payment_methods", CREATION, required=("type",))
def create(call: Call) -> Body:
    return create_from_data(call.params)


@route("GET", "/v1/payment_methods/:payment_method")
def retrieve(call: Call) -> Body:
    return from_alias(call.ids["payment_method"]) or _named(call)


def _named(call: Call) -> Body:
    return fetch_from_url(PAYMENT_METHOD, call.ids["payment_method"], param="payment_method")


@route(
    "POST",
    "/v1/payment_methods/:payment_method",
    published(
        "PaymentMethodUpdateParams",
        "allow_redisplay",
        "billing_details",
        "metadata",
        "us_bank_account",
        card=Hash({"exp_month": Integer(1, 12), "exp_year": Integer()}),
    ),
)
def update(call: Call) -> Body:
    method = _named(call)
    if not method["customer"]:
        raise ApiError(
            "You must save this PaymentMethod to a customer before you can update it.",
            code="payment_method_customer_required",
        )
    change = {name: call[name] for name in ("allow_redisplay",) if name in call.params}
    if "metadata" in call.params:
        change["metadata"] = merge_metadata(method["metadata"], call["metadata"])
    if "billing_details" in call.params:
        change["billing_details"] = billing_details(method["billing_details"] | call["billing_details"])
    for kind in ("card", "us_bank_account"):
        if kind in call.params:
            if kind != method["type"]:
                raise ApiError(f"You cannot update `{kind}` on a PaymentMethod of type {method['type']}.", param=kind)
            change[kind] = method[kind] | call[kind]
    previous = {name: method[name] for name, value in change.items() if method[name] != value}
    if previous:
        method |= change
        store.save(method)
        emit("payment_method.updated", method, previous=previous)
    return method


@route(
    "POST",
    "/v1/payment_methods/:payment_method/attach",
    published("PaymentMethodAttachParams", "customer"),
    required=("customer",),
)
def attach(call: Call) -> Body:
    given = call.ids["payment_method"]
    method = from_alias(given) or _named(call)
    customer = fetch_from_parameter("customer", call["customer"], param="customer")
    if method.get("_is_used_up"):
        raise ApiError(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
    if method["customer"] and method["customer"] != customer["id"]:
        raise ApiError("The payment method you provided has already been attached to a customer.")
    return attach_to_customer(method, customer["id"])


@route("POST", "/v1/payment_methods/:payment_method/detach")
def detach(call: Call) -> Body:
    method = _named(call)
    if not method["customer"]:
        raise ApiError("The payment method you provided is not attached to a customer so detachment is impossible.")
    return detach_method(method)
