"""Prices (docs: "The Price object")."""

from decimal import Decimal
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import list_route
from sandbox.protocol.parameters import (
    Boolean,
    Currency,
    Fields,
    Hash,
    Integer,
    ListOf,
    Metadata,
    NotYet,
    Text,
    merge_metadata,
)
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.products import create_product
from sandbox.store import Body
from sandbox.webhooks.events import emit


def _currency_options(price: Body) -> Body:
    option = {key: price[key] for key in ("custom_unit_amount", "tax_behavior", "unit_amount", "unit_amount_decimal")}
    return {price["currency"]: option}


PRICE = register(
    Resource(
        "price",
        references={"product": "product"},
        computed={"currency_options": _currency_options, "tiers": lambda _: None},
        filters={
            "product": "product",
            "active": "body__active",
            "type": "subtype",
            "currency": "body__currency",
            "lookup_keys": "body__lookup_key",
        },
    )
)
list_route(PRICE, "/v1/prices", {"active": Boolean(), "lookup_keys": ListOf(Text())})
search_route(PRICE, "/v1/prices", ("active", "currency", "lookup_key", "metadata", "product", "type"))
TAX_BEHAVIOURS = ("exclusive", "inclusive", "unspecified")
RECURRING = Hash(
    {
        "interval": Text(choices=("day", "week", "month", "year")),
        "interval_count": Integer(1, 1095),
        "usage_type": Text(choices=("licensed", "metered")),
        "trial_period_days": Integer(0),
    },
    required=("interval",),
)
PRODUCT_DATA: Fields = {
    "name": Text(max_length=5000),
    "description": Text(max_length=40000),
    "images": ListOf(Text()),
    "metadata": Metadata(),
    "tax_code": Text(),
    "unit_label": Text(max_length=12),
}
UPDATABLE: Fields = {
    "active": Boolean(),
    "lookup_key": Text(max_length=200, clearable=True),
    "metadata": Metadata(),
    "nickname": Text(clearable=True),
    "tax_behavior": Text(choices=TAX_BEHAVIOURS),
    "transfer_lookup_key": Boolean(),
}
AMOUNT_FIELDS: Fields = {"currency": Currency(), "unit_amount": Integer(0), "unit_amount_decimal": Text()}


def create_price(*, product: str, currency: str, announce: bool = True, **fields: Any) -> Body:
    """A stored price of an existing product; `unit_amount` is in minor units."""
    unit_amount, decimal = fields.pop("unit_amount", None), fields.pop("unit_amount_decimal", None)
    if unit_amount is None and decimal is None:
        raise missing_parameter("unit_amount")
    if unit_amount is None:
        exact = Decimal(decimal)
        unit_amount = int(exact) if exact == exact.to_integral_value() else None
    recurring = fields.pop("recurring", None)
    if recurring is not None:
        defaults = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}
        recurring = defaults | recurring
    price = store.insert(
        {
            "id": identifiers.new_id("price_1", 23),
            "object": "price",
            "active": True,
            "billing_scheme": "per_unit",
            "created": clock.now(),
            "currency": currency,
            "custom_unit_amount": None,
            "livemode": False,
            "lookup_key": None,
            "metadata": {},
            "nickname": None,
            "product": product,
            "recurring": recurring,
            "tax_behavior": "unspecified",
            "tiers_mode": None,
            "transform_quantity": None,
            "type": "recurring" if recurring else "one_time",
            "unit_amount": unit_amount,
            "unit_amount_decimal": decimal or str(unit_amount),
            **fields,
        }
    )
    if announce:
        emit("price.created", price)
    return price


@route(
    "POST",
    "/v1/prices",
    {
        **UPDATABLE,
        **AMOUNT_FIELDS,
        "product": Text(),
        "product_data": Hash({**PRODUCT_DATA, "active": Boolean(), "id": Text()}, required=("name",)),
        "recurring": RECURRING,
        "billing_scheme": Text(choices=("per_unit", "tiered")),
        "tiers": NotYet(()),
        "custom_unit_amount": NotYet(()),
        "currency_options": NotYet(()),
    },
    required=("currency",),
)
def create(call: Call) -> Body:
    skipped = ("expand", "product_data", "product", "transfer_lookup_key")
    fields = {key: value for key, value in call.params.items() if key not in skipped}
    if "product_data" in call.params:
        product = create_product(**call["product_data"])
    elif "product" in call.params:
        product = fetch_from_parameter("product", call["product"], param="product")
    else:
        raise missing_parameter("product")
    _claim_lookup_key(call)
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    return create_price(product=product["id"], **fields)


def _claim_lookup_key(call: Call) -> None:
    """A lookup key belongs to one price; transferring takes it from the other (docs: "Manage prices")."""
    lookup_key = call.get("lookup_key")
    if not lookup_key:
        return
    for holder in store.rows("price").filter(body__lookup_key=lookup_key).values_list("body", flat=True):
        if not call.get("transfer_lookup_key"):
            raise ApiError(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key", is_executed=True
            )
        store.save(holder | {"lookup_key": None})


@route("GET", "/v1/prices/:price")
def retrieve(call: Call) -> Body:
    return fetch_from_url(PRICE, call.ids["price"], param="price")


@route("POST", "/v1/prices/:price", UPDATABLE)
def update(call: Call) -> Body:
    price = fetch_from_url(PRICE, call.ids["price"], param="price")
    _claim_lookup_key(call)
    change = {key: value for key, value in call.params.items() if key not in ("expand", "transfer_lookup_key")}
    if "metadata" in change:
        change["metadata"] = merge_metadata(price["metadata"], change["metadata"])
    previous = {key: price.get(key) for key in change if price.get(key) != change[key]}
    if previous:
        price |= change
        store.save(price)
        emit("price.updated", price, previous=previous)
    return price
