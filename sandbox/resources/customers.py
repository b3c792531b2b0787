"""Customers over the API (docs: "The Customer object")."""

from typing import Any

from sandbox import store
from sandbox.billing import clocks
from sandbox.billing.deletions import delete_customer
from sandbox.payments.customers import check_default_method, complete_address, create_customer, update_customer
from sandbox.payments.methods import resolve
from sandbox.payments.saving import attach_to_customer
from sandbox.payments.tax_ids import create_tax_id
from sandbox.protocol.amounts import check_step
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import as_list, empty_list_route, page
from sandbox.protocol.parameters import Integer, Spec, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, presented, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.payment_methods import PAGED, PAYMENT_METHOD
from sandbox.store import Body


def _empty(collection: str) -> Any:
    def build(customer: Body) -> Body:
        return as_list([], url=f"/v1/customers/{customer['id']}/{collection}") | {"total_count": 0}

    return build


def _subscriptions(customer: Body) -> Body:
    """The customer's subscriptions that have not ended, newest first."""
    rows = store.rows("subscription").filter(customer=customer["id"]).exclude(status__in=clocks.ENDED)
    items = [presented(body) for body in rows.order_by("-sequence").values_list("body", flat=True)]
    return as_list(items, url=f"/v1/customers/{customer['id']}/subscriptions") | {"total_count": len(items)}


def _tax_ids(customer: Body) -> Body:
    rows = store.rows("tax_id").filter(customer=customer["id"]).order_by("-sequence")
    items = [presented(body) for body in rows.values_list("body", flat=True)]
    return as_list(items, url=f"/v1/customers/{customer['id']}/tax_ids") | {"total_count": len(items)}


def _tax(customer: Body) -> Body:
    """The customer's tax location, derived from the address."""
    address = customer["address"] or {}
    country = address.get("country")
    location = {"country": country, "source": "billing_address", "state": address.get("state")} if country else None
    return {
        "automatic_tax": "supported" if country else "unrecognized_location",
        "ip_address": store.fetch("customer", customer["id"]).get("_ip_address"),
        "location": location,
        "provider": "stripe",
    }


def cash_balance_of(customer: Body) -> Body:
    """The customer's cash balance, always empty: it is filled by bank transfers, which the sandbox does not have."""
    return {
        "object": "cash_balance",
        "available": None,
        "customer": customer["id"],
        "customer_account": None,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


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
            "subscriptions": _subscriptions,
            "tax_ids": _tax_ids,
            "tax": _tax,
            "cash_balance": cash_balance_of,
            "invoice_credit_balance": lambda _: {},
        },
        filters={"email": "source", "test_clock": "body__test_clock"},
    )
)
search_route(CUSTOMER, "/v1/customers", ("created", "email", "metadata", "name", "phone"))
for _collection in ("sources",):
    empty_list_route(f"/v1/customers/:customer/{_collection}")
LIMITS: dict[str, Spec] = {
    "description": Text(max_length=5000, clearable=True),
    "email": Text(max_length=512, clearable=True),
    "invoice_prefix": Text(max_length=12),
    "name": Text(max_length=256, clearable=True),
    "next_invoice_sequence": Integer(1),
    "phone": Text(max_length=20, clearable=True),
}
COMMON = (
    "address", "balance", "business_name", "individual_name", "invoice_settings", "metadata", "preferred_locales",
    "shipping", "tax.ip_address", "tax.validate_location", "tax_exempt",
)  # fmt: skip
NOT_FIELDS = ("expand", "metadata", "payment_method", "tax", "tax_id_data", "test_clock")


@route("GET", "/v1/customers", published("CustomerListParams", *PAGED, "created", "email", "test_clock"))
def list_customers(call: Call) -> Body:
    rows = store.rows("customer")
    # Customers of test clocks are listed only with the filter `test_clock` (docs: "List all customers").
    return page(
        CUSTOMER,
        call,
        url="/v1/customers",
        rows=rows if "test_clock" in call.params else rows.filter(body__test_clock=None),
    )


def _given(call: Call, current: Body) -> Body:
    """The fields to change: the call's values, completed with the current ones where a hash is sent in part."""
    given = {name: value for name, value in call.params.items() if name not in NOT_FIELDS}
    if "metadata" in call.params:
        given["metadata"] = merge_metadata(current.get("metadata", {}), call["metadata"])
    if "address" in given:
        given["address"] = complete_address(given["address"])
    if given.get("shipping"):
        given["shipping"] = {"phone": None} | given["shipping"]
        given["shipping"]["address"] = complete_address(given["shipping"]["address"])
    if "invoice_settings" in given:
        given["invoice_settings"] = current.get("invoice_settings", {}) | given["invoice_settings"]
    if "tax_exempt" in given:
        given["tax_exempt"] = given["tax_exempt"] or "none"
    if "ip_address" in call.get("tax", {}):
        given["_ip_address"] = call["tax"]["ip_address"]
    return given


@route(
    "POST",
    "/v1/customers",
    published("CustomerCreateParams", *COMMON, "payment_method", "tax_id_data", "test_clock", **LIMITS),
)
def create(call: Call) -> Body:
    fields = _given(call, {})
    if "test_clock" in call.params:
        fields["test_clock"] = fetch_from_parameter(clocks.CLOCK, call["test_clock"], param="test_clock")["id"]
    method = resolve(call["payment_method"]) if call.get("payment_method") else None
    default = fields.get("invoice_settings", {}).get("default_payment_method")
    if default and method and default == call["payment_method"]:
        fields["invoice_settings"]["default_payment_method"] = method["id"]
    elif default:
        raise no_such("PaymentMethod", default, param="invoice_settings[default_payment_method]")
    with clocks.time_of(fields):
        customer = create_customer(**fields)
        if method:
            _attach(method, customer)
        for tax_id in call.get("tax_id_data", []):
            create_tax_id(customer, kind=tax_id["type"], value=tax_id["value"])
    return customer


def _attach(method: Body, customer: Body) -> None:
    try:
        attach_to_customer(method, customer["id"])
    except ApiError as error:
        # If the card is declined, the customer is not created either.
        error.keeps_changes = False
        raise


@route("GET", "/v1/customers/:customer")
def retrieve(call: Call) -> Body:
    return fetch_from_url(CUSTOMER, call.ids["customer"])


@route("POST", "/v1/customers/:customer", published("CustomerUpdateParams", *COMMON, **LIMITS))
def update(call: Call) -> Body:
    customer = existing_customer(call, param="id")
    change = _given(call, customer)
    if change.get("invoice_settings", {}).get("default_payment_method"):
        check_default_method(customer, change["invoice_settings"]["default_payment_method"])
    if "balance" in change and customer["currency"]:
        check_step(change["balance"], customer["currency"], param="balance")
    with clocks.time_of(customer):
        return update_customer(customer, change)


def existing_customer(call: Call, *, param: str = "customer") -> Body:
    """The customer whose id is in the URL. Raises Stripe's 404 if it is missing or deleted."""
    customer = fetch_from_url(CUSTOMER, call.ids["customer"], param=param)
    if customer.get("deleted"):
        raise no_such("customer", customer["id"], param=param, in_url=True)
    return customer


@route("DELETE", "/v1/customers/:customer")
def delete(call: Call) -> Body:
    return delete_customer(existing_customer(call, param="id"))


@route("GET", "/v1/customers/:customer/cash_balance")
def cash_balance(call: Call) -> Body:
    return cash_balance_of(existing_customer(call))


@route(
    "GET",
    "/v1/customers/:customer/payment_methods",
    published("CustomerListPaymentMethodsParams", *PAGED, "allow_redisplay", "type"),
)
def payment_methods(call: Call) -> Body:
    customer = existing_customer(call)
    rows = store.rows("payment_method").filter(customer=customer["id"])
    return page(PAYMENT_METHOD, call, url=f"/v1/customers/{customer['id']}/payment_methods", rows=rows)


@route("GET", "/v1/customers/:customer/payment_methods/:payment_method")
def payment_method(call: Call) -> Body:
    customer = existing_customer(call)
    method = fetch_from_url(PAYMENT_METHOD, call.ids["payment_method"], param="payment_method")
    if method["customer"] != customer["id"]:
        raise no_such("PaymentMethod", method["id"], param="payment_method", in_url=True)
    return method
