"""Checkout Sessions over the API (docs: "Create a Checkout Session")."""

from typing import Any

from sandbox import clock, identifiers, schedule, store
from sandbox.checkout.line_items import build_line_items, items_of
from sandbox.checkout.sessions import expire_session, page_address
from sandbox.checkout.shapes import known_customer_details, open_session
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import list_route, page_of_items
from sandbox.protocol.money import minimum_charge, written
from sandbox.protocol.parameters import (
    PAGING,
    Currency,
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
from sandbox.resources.prices import AMOUNT_FIELDS, PRODUCT_DATA, RECURRING, TAX_BEHAVIOURS
from sandbox.store import Body

SESSION = register(
    Resource(
        "checkout.session",
        references={
            "customer": "customer",
            "payment_intent": "payment_intent",
            "setup_intent": "setup_intent",
            "subscription": "subscription",
            "invoice": "invoice",
            "payment_link": "payment_link",
        },
        computed={
            "line_items": items_of,
            "total_details.breakdown": lambda _: {"discounts": [], "taxes": []},
        },
        filters={
            "customer": "customer",
            "payment_intent": "payment_intent",
            "status": "status",
            "subscription": "body__subscription",
            "payment_link": "body__payment_link",
            "customer_details": "body__customer_details__email",
        },
        label="checkout.session",
    )
)
EMAIL_FILTER = Hash({"email": Text()}, required=("email",))
list_route(SESSION, "/v1/checkout/sessions", {"customer_details": EMAIL_FILTER})
HALF_HOUR, DAY = 1800, 24 * 3600
# Seconds of grace: the client reckoned the moment before the request travelled.
GRACE = 30
PRICE_DATA = Hash(
    {
        **AMOUNT_FIELDS,
        "product": Text(),
        "product_data": Hash(PRODUCT_DATA, required=("name",)),
        "recurring": RECURRING,
        "tax_behavior": Text(choices=TAX_BEHAVIOURS),
    },
    required=("currency",),
)
LINE_ITEM = Hash(
    {
        "price": Text(),
        "price_data": PRICE_DATA,
        "quantity": Integer(0),
        "metadata": Metadata(),
        "adjustable_quantity": NotYet(),
        "dynamic_tax_rates": NotYet(),
        "tax_rates": NotYet(),
    }
)
INTENT_DATA = Hash(
    {
        "capture_method": Text(choices=("automatic", "automatic_async", "manual")),
        "description": Text(max_length=1000),
        "metadata": Metadata(),
        "receipt_email": Text(),
        "setup_future_usage": Text(choices=("off_session", "on_session")),
        "statement_descriptor": Text(max_length=22),
        "statement_descriptor_suffix": Text(max_length=22),
        "transfer_group": Text(),
        "application_fee_amount": NotYet(),
        "on_behalf_of": NotYet(),
        "transfer_data": NotYet(),
    }
)
ENABLED = Hash({"enabled": NotYet()})
ASKED_FOR_LATER: Fields = {
    name: NotYet()
    for name in (
        "after_expiration", "allow_promotion_codes", "consent_collection", "custom_fields", "discounts",
        "optional_items", "payment_method_configuration", "permissions", "return_url", "setup_intent_data",
        "shipping_address_collection", "shipping_options", "subscription_data", "saved_payment_method_options",
    )
}  # fmt: skip
FIELDS: Fields = {
    **ASKED_FOR_LATER,
    "adaptive_pricing": ENABLED,
    "automatic_tax": ENABLED,
    "invoice_creation": ENABLED,
    "phone_number_collection": ENABLED,
    "tax_id_collection": ENABLED,
    "billing_address_collection": Text(choices=("auto", "required")),
    "cancel_url": Text(),
    "client_reference_id": Text(max_length=200),
    "currency": Currency(),
    "custom_text": Hash({"submit": Hash({"message": Text(max_length=1200)}, clearable=True)}),
    "customer": Text(),
    "customer_creation": Text(choices=("always", "if_required")),
    "customer_email": Text(max_length=800),
    "customer_update": Hash({name: Text(choices=("auto", "never")) for name in ("address", "name", "shipping")}),
    "expires_at": Integer(),
    "line_items": ListOf(LINE_ITEM),
    "locale": Text(),
    "metadata": Metadata(),
    "mode": Text(choices=("payment", "setup", "subscription")),
    "payment_intent_data": INTENT_DATA,
    "payment_method_collection": Text(choices=("always", "if_required")),
    "payment_method_options": Hash(
        {"card": Hash({"request_three_d_secure": Text(choices=("any", "automatic", "challenge"))}),
         "sepa_debit": Hash({"setup_future_usage": Text()})}
    ),
    "payment_method_types": ListOf(Text(choices=("card", "sepa_debit"))),
    "submit_type": Text(choices=("auto", "book", "donate", "pay", "subscribe")),
    "success_url": Text(),
    "ui_mode": Text(choices=("hosted_page", "embedded_page", "elements", "form")),
}  # fmt: skip
COPIED = (
    "billing_address_collection", "cancel_url", "client_reference_id", "customer_creation", "customer_email",
    "locale", "payment_method_types", "submit_type", "success_url",
)  # fmt: skip


@route("POST", "/v1/checkout/sessions", FIELDS)
def create(call: Call) -> Body:
    _check(call)
    items = build_line_items(call["line_items"])
    currency, total = items[0]["currency"], sum(item["amount_total"] for item in items)
    if 0 < total < minimum_charge(currency):
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least "
            f"{written(minimum_charge(currency), currency)} {currency}",
            code="amount_too_small",
        )
    if "sepa_debit" in call.get("payment_method_types", []) and currency != "eur":
        raise ApiError(
            f"The currency provided ({currency}) is invalid for one or more payment method types on this Checkout "
            "Session: sepa_debit.",
            param="payment_method_types",
        )
    session = open_session() | _identity(call) | {name: call[name] for name in COPIED if name in call.params}
    session |= {
        "amount_subtotal": sum(item["amount_subtotal"] for item in items),
        "amount_total": total,
        "currency": currency,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "_line_items": items,
        "_payment_intent_data": _intent_data(call),
    }
    if "customer" in call.params:
        customer = fetch_from_parameter("customer", call["customer"], param="customer")
        session |= {"customer": customer["id"], "customer_details": known_customer_details(customer)}
    store.insert(session)
    schedule.schedule("expire_session", session["id"], at=session["expires_at"])
    return session


def _identity(call: Call) -> Body:
    session_id, moment = identifiers.new_id("cs_test_a1", 56), clock.now()
    return {
        "id": session_id,
        "created": moment,
        "expires_at": call.get("expires_at", moment + DAY),
        "metadata": merge_metadata({}, call.get("metadata")),
        "url": page_address(session_id),
    }


def _intent_data(call: Call) -> Body:
    data: dict[str, Any] = {key: value for key, value in call.get("payment_intent_data", {}).items() if value}
    if "metadata" in data:
        data["metadata"] = merge_metadata({}, data["metadata"])
    return data


def _check(call: Call) -> None:
    """What depends on several parameters, or on what the sandbox can do so far."""
    for name in ("mode", "line_items"):
        if not call.get(name):
            raise missing_parameter(name)
    if call["mode"] != "payment":
        raise ApiError(f"The sandbox does not open Checkout in {call['mode']} mode yet; see its README.", param="mode")
    if call.get("ui_mode", "hosted_page") != "hosted_page":
        raise ApiError("The sandbox has only the hosted page yet; see its README.", param="ui_mode")
    if not call.get("success_url"):
        raise missing_parameter("success_url")
    if call.get("customer") and call.get("customer_email"):
        raise ApiError(
            "You may only specify one of these parameters: customer, customer_email.", param="customer_email"
        )
    if call.get("customer") and call.get("customer_creation"):
        raise ApiError(
            "You may only specify one of these parameters: customer, customer_creation.", param="customer_creation"
        )
    _check_email(call.get("customer_email"))
    _check_lifetime(call.get("expires_at"))


def _check_email(email: str | None) -> None:
    if email and "@" not in email:
        raise ApiError(f"Invalid email address: {email}", code="email_invalid", param="customer_email")


def _check_lifetime(expires_at: int | None) -> None:
    if expires_at is not None:
        lifetime = expires_at - clock.now()
        if not HALF_HOUR - GRACE <= lifetime <= DAY + GRACE:
            raise ApiError(
                "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.",
                param="expires_at",
            )


@route("GET", "/v1/checkout/sessions/:session")
def retrieve(call: Call) -> Body:
    return _named(call)


def _named(call: Call) -> Body:
    return fetch_from_url(SESSION, call.ids["session"], param="session")


@route("POST", "/v1/checkout/sessions/:session", {"metadata": Metadata()})
def update(call: Call) -> Body:
    session = _named(call)
    if "metadata" in call.params:
        session["metadata"] = merge_metadata(session["metadata"], call["metadata"])
    return store.save(session)


@route("GET", "/v1/checkout/sessions/:session/line_items", PAGING)
def line_items(call: Call) -> Body:
    session = _named(call)
    return page_of_items(session["_line_items"], call, url=f"/v1/checkout/sessions/{session['id']}/line_items")


@route("POST", "/v1/checkout/sessions/:session/expire")
def expire(call: Call) -> Body:
    return expire_session(_named(call))
