"""Payment methods (docs: "The PaymentMethod object")."""

from datetime import UTC, datetime

from sandbox import clock, store
from sandbox.payments.card_numbers import card_for, check_cvc, check_expiry
from sandbox.payments.intents import decline_error
from sandbox.payments.methods import billing_details, card_behaviour, create_card, create_sepa_debit, resolve
from sandbox.payments.test_cards import BY_ALIAS
from sandbox.payments.test_ibans import has_valid_check_digits, normalised
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.protocol.listing import list_route
from sandbox.protocol.parameters import BILLING_DETAILS, Fields, Hash, Integer, Metadata, Text, merge_metadata
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import emit

PAYMENT_METHOD = register(
    Resource(
        "payment_method",
        references={"customer": "customer"},
        filters={"customer": "customer", "type": "subtype", "allow_redisplay": "body__allow_redisplay"},
        label="PaymentMethod",
    )
)
list_route(PAYMENT_METHOD, "/v1/payment_methods")
CARD = Hash({"number": Text(), "exp_month": Integer(), "exp_year": Integer(), "cvc": Text(), "token": Text()})
TYPES = ("card", "sepa_debit")
REUSE = ("limited", "always", "unspecified")
DATA_FIELDS: Fields = {
    "billing_details": BILLING_DETAILS,
    "metadata": Metadata(),
    "type": Text(choices=TYPES),
    "card": CARD,
    "sepa_debit": Hash({"iban": Text()}, required=("iban",)),
    "allow_redisplay": Text(choices=REUSE),
}


def create_from_data(data: Body) -> Body:
    """A payment method out of what a client sent. Raises the 402 of a wrong card or the 400 of a wrong IBAN."""
    billing, metadata = data.get("billing_details"), merge_metadata({}, data.get("metadata"))
    if data["type"] == "sepa_debit":
        iban = normalised(data.get("sepa_debit", {}).get("iban", ""))
        if not has_valid_check_digits(iban):
            raise ApiError(
                "The IBAN you provided is invalid.", code="invalid_bank_account_iban", param="sepa_debit[iban]"
            )
        return create_sepa_debit(iban, billing=billing, metadata=metadata)
    given = data.get("card")
    if not given:
        raise missing_parameter("card")
    if "token" in given:
        card = BY_ALIAS.get(given["token"].removeprefix("tok_"))
        if card is None:
            raise no_such("token", given["token"], param="card[token]")
        year = datetime.fromtimestamp(clock.now(), UTC).year + 1
        return create_card(card, exp_month=12, exp_year=year, billing=billing, metadata=metadata)
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing_parameter(f"card[{name}]")
    card = card_for(given["number"])
    year = check_expiry(given["exp_month"], given["exp_year"])
    if "cvc" in given:
        check_cvc(given["cvc"], card)
    return create_card(card, exp_month=given["exp_month"], exp_year=year, billing=billing, metadata=metadata)


def attach_to_customer(method: Body, customer_id: str) -> Body:
    """Keep a method for later. Raises the 402 of cards that decline at once; 0341 declines only when charged."""
    if method["type"] == "card":
        card = card_behaviour(method)
        if card.decline and card.challenge == "none" and not card.can_attach:
            raise decline_error(card.decline, {}, method)
    method["customer"] = customer_id
    store.save(method)
    emit("payment_method.attached", method)
    return method


@route("POST", "/v1/payment_methods", {**DATA_FIELDS, "customer": Text()}, required=("type",))
def create(call: Call) -> Body:
    return create_from_data(call.params)


@route("GET", "/v1/payment_methods/:payment_method")
def retrieve(call: Call) -> Body:
    if call.ids["payment_method"].startswith("pm_card_"):
        return resolve(call.ids["payment_method"])
    return _named(call)


def _named(call: Call) -> Body:
    return fetch_from_url(PAYMENT_METHOD, call.ids["payment_method"], param="payment_method")


UPDATABLE_CARD = Hash({"exp_month": Integer(1, 12), "exp_year": Integer()})


@route(
    "POST",
    "/v1/payment_methods/:payment_method",
    {
        "billing_details": BILLING_DETAILS,
        "metadata": Metadata(),
        "card": UPDATABLE_CARD,
        "allow_redisplay": Text(choices=REUSE),
    },
)
def update(call: Call) -> Body:
    method = _named(call)
    if not method["customer"]:
        raise ApiError(
            "You must save this PaymentMethod to a customer before you can update it.",
            code="payment_method_customer_required",
        )
    if "metadata" in call.params:
        method["metadata"] = merge_metadata(method["metadata"], call["metadata"])
    if "billing_details" in call.params:
        method["billing_details"] = billing_details(method["billing_details"] | call["billing_details"])
    if "allow_redisplay" in call.params:
        method["allow_redisplay"] = call["allow_redisplay"]
    method.get("card", {}).update(call.get("card", {}))
    store.save(method)
    emit("payment_method.updated", method)
    return method


@route("POST", "/v1/payment_methods/:payment_method/attach", {"customer": Text()}, required=("customer",))
def attach(call: Call) -> Body:
    given = call.ids["payment_method"]
    method = resolve(given) if given.startswith("pm_card_") else _named(call)
    customer = fetch_from_parameter("customer", call["customer"], param="customer")
    if method.get("_is_used_up"):
        raise ApiError(
            "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
            "Customer, and may not be used again."
        )
    return attach_to_customer(method, customer["id"])


@route("POST", "/v1/payment_methods/:payment_method/detach")
def detach(call: Call) -> Body:
    method = _named(call)
    if not method["customer"]:
        raise ApiError("The payment method you provided is not attached to a customer so detachment is impossible.")
    previous = {"customer": method["customer"]}
    method |= {"customer": None, "_is_used_up": True}
    store.save(method)
    emit("payment_method.detached", method, previous=previous)
    return method
