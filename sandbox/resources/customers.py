"""Customers (docs: "The Customer object")."""

from typing import Any

from sandbox import clock, identifiers, store
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import as_list, empty_list_route, list_route, page
from sandbox.protocol.parameters import ADDRESS, PAGING, Fields, Hash, ListOf, Metadata, NotYet, Text, merge_metadata
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.payment_methods import PAYMENT_METHOD
from sandbox.store import Body
from sandbox.webhooks.events import emit


def _empty(collection: str) -> Any:
    def build(customer: Body) -> Body:
        return as_list([], url=f"/v1/customers/{customer['id']}/{collection}") | {"total_count": 0}

    return build


CUSTOMER = register(
    Resource(
        "customer",
        references={
            "default_source": "source",
            "invoice_settings.default_payment_method": "payment_method",
            "test_clock": "test_helpers.test_clock",
        },
        computed={
            "sources": _empty("sources"),
            "subscriptions": _empty("subscriptions"),
            "tax_ids": _empty("tax_ids"),
            "tax": lambda _: {"automatic_tax": "unrecognized_location", "ip_address": None, "location": None},
            "cash_balance": lambda _: None,
            "invoice_credit_balance": lambda _: {},
        },
        filters={"email": "body__email", "test_clock": "body__test_clock"},
    )
)
list_route(CUSTOMER, "/v1/customers")
search_route(CUSTOMER, "/v1/customers", ("created", "email", "metadata", "name", "phone"))
for _collection in ("sources", "tax_ids", "balance_transactions", "subscriptions"):
    empty_list_route(f"/v1/customers/:customer/{_collection}")
SHIPPING = Hash({"address": ADDRESS, "name": Text(), "phone": Text(clearable=True)}, clearable=True)
FIELDS: Fields = {
    "address": Hash(ADDRESS.fields, clearable=True),
    "description": Text(clearable=True),
    "email": Text(max_length=512, clearable=True),
    "invoice_settings": Hash({"default_payment_method": Text(clearable=True), "footer": Text(clearable=True)}),
    "metadata": Metadata(),
    "name": Text(max_length=256, clearable=True),
    "phone": Text(max_length=20, clearable=True),
    "preferred_locales": ListOf(Text(), clearable=True),
    "shipping": SHIPPING,
    "tax_exempt": Text(choices=("exempt", "none", "reverse"), clearable=True),
    "coupon": NotYet(),
    "source": NotYet(),
    "test_clock": NotYet(),
}


def create_customer(**fields: Any) -> Body:
    """A stored customer; emits customer.created."""
    if fields.get("email") and "@" not in fields["email"]:
        raise ApiError(f"Invalid email address: {fields['email']}", code="email_invalid", param="email")
    customer: Body = {
        "id": identifiers.new_id("cus_", 14),
        "object": "customer",
        **dict.fromkeys(("address", "currency", "default_source", "description", "discount", "email", "name")),
        **dict.fromkeys(("phone", "shipping", "test_clock")),
        "balance": 0,
        "created": clock.now(),
        "delinquent": False,
        "invoice_prefix": identifiers.token(8).upper(),
        "livemode": False,
        "metadata": {},
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **fields,
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None}
        | {"rendering_options": None}
        | fields.get("invoice_settings", {}),
    }
    if customer["address"]:
        customer["address"] = EMPTY_ADDRESS | customer["address"]
    store.insert(customer)
    emit("customer.created", customer)
    return customer


def _given(call: Call) -> Body:
    skipped = ("expand", "coupon", "source", "test_clock", "payment_method")
    return {name: value for name, value in call.params.items() if name not in skipped}


@route("POST", "/v1/customers", {**FIELDS, "payment_method": Text()})
def create(call: Call) -> Body:
    return create_customer(**_given(call) | {"metadata": merge_metadata({}, call.get("metadata"))})


@route("GET", "/v1/customers/:customer")
def retrieve(call: Call) -> Body:
    return fetch_from_url(CUSTOMER, call.ids["customer"], param="customer")


@route("POST", "/v1/customers/:customer", FIELDS)
def update(call: Call) -> Body:
    customer = _living(call)
    change = _given(call)
    if "metadata" in change:
        change["metadata"] = merge_metadata(customer["metadata"], change["metadata"])
    if change.get("address"):
        change["address"] = EMPTY_ADDRESS | change["address"]
    if "invoice_settings" in change:
        change["invoice_settings"] = customer["invoice_settings"] | change["invoice_settings"]
    previous = {key: customer.get(key) for key in change if customer.get(key) != change[key]}
    if previous:
        customer |= change
        store.save(customer)
        emit("customer.updated", customer, previous=previous)
    return customer


def _living(call: Call) -> Body:
    customer = fetch_from_url(CUSTOMER, call.ids["customer"], param="customer")
    if customer.get("deleted"):
        raise ApiError(f"No such customer: '{customer['id']}'", status=404, code="resource_missing", param="customer")
    return customer


@route("DELETE", "/v1/customers/:customer")
def delete(call: Call) -> Body:
    customer = _living(call)
    stub = store.mark_deleted(customer)
    emit("customer.deleted", customer)
    return stub


@route("GET", "/v1/customers/:customer/payment_methods", {**PAGING, "type": Text()})
def payment_methods(call: Call) -> Body:
    customer = fetch_from_url(CUSTOMER, call.ids["customer"], param="customer")
    rows = store.rows("payment_method").filter(customer=customer["id"])
    return page(PAYMENT_METHOD, call, url=f"/v1/customers/{customer['id']}/payment_methods", rows=rows)


@route("GET", "/v1/customers/:customer/payment_methods/:payment_method")
def payment_method(call: Call) -> Body:
    return fetch_from_parameter("payment_method", call.ids["payment_method"], param="payment_method")
