"""Invoices (docs: "The Invoice object"). Their status transitions are in invoice_steps."""

from typing import Any

from sandbox import store
from sandbox.billing import invoice_payments, invoices
from sandbox.billing.invoice_edits import edit_invoice
from sandbox.billing.item_parameters import DISCOUNTS, granted, tax_rate
from sandbox.options import options
from sandbox.payments.fees import default_currency
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.protocol.listing import as_list, page, within
from sandbox.protocol.parameters import Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, presented, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.store import Body

SHOWN_LINES = 10
STATUSES = ("draft", "open", "void", "paid", "uncollectible")


def _payments(invoice: Body) -> Body:
    payments = [presented(payment) for payment in invoice_payments.payments_of(invoice["id"])]
    return as_list(payments, url="/v1/invoices/payments")


def _confirmation_secret(invoice: Body) -> Body | None:
    """The client secret with which a browser confirms the payment; None without an intent."""
    stored = store.find("invoice", invoice["id"]) or {}
    intent = store.find("payment_intent", stored.get("_intent") or "")
    return intent and {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _with_first_lines(invoice: Body) -> Body:
    """The invoice with its first ten lines only; the others are listed at their own URL."""
    if invoice.get("deleted"):
        return invoice
    lines = invoice["lines"]
    shown = [presented(line) for line in lines["data"]]
    cut = {"data": shown[:SHOWN_LINES], "has_more": len(shown) > SHOWN_LINES, "total_count": len(shown)}
    return invoice | {"lines": lines | cut}


INVOICE = register(
    Resource(
        "invoice",
        references={
            "account_tax_ids": "tax_id",
            "customer": "customer",
            "default_payment_method": "payment_method",
            "discounts": "discount",
            "on_behalf_of": "account",
            "parent.subscription_details.subscription": "subscription",
            "test_clock": "test_helpers.test_clock",
            "total_discount_amounts.discount": "discount",
        },
        computed={"confirmation_secret": _confirmation_secret, "payments": _payments},
        filters={
            "collection_method": "body__collection_method",
            "customer": "customer",
            "status": "status",
            "subscription": "source",
        },
        present=_with_first_lines,
    )
)
SEARCHED = (
    "created", "currency", "customer", "last_finalization_error_code", "last_finalization_error_type", "metadata",
    "number", "receipt_number", "status", "subscription", "total",
)  # fmt: skip
search_route(
    INVOICE,
    "/v1/invoices",
    SEARCHED,
    {
        "last_finalization_error_code": "last_finalization_error.code",
        "last_finalization_error_type": "last_finalization_error.type",
        "subscription": "parent.subscription_details.subscription",
    },
)
WRITABLE = (
    "application_fee_amount", "auto_advance", "automatic_tax.enabled", "automatic_tax.liability",
    "automatically_finalizes_at", "collection_method", "custom_fields", "default_payment_method", "default_tax_rates",
    *DISCOUNTS, "due_date", "effective_at", "issuer.type", "metadata", "on_behalf_of",
    "payment_settings.payment_method_types", "shipping_details", "transfer_data",
)  # fmt: skip
LIMITS: dict[str, Any] = {
    "days_until_due": Integer(0, 36500),
    "description": Text(max_length=1500, clearable=True),
    "footer": Text(max_length=5000, clearable=True),
    "number": Text(max_length=26, clearable=True),
    "statement_descriptor": Text(max_length=22, clearable=True),
}
MISSING_EMAIL = (
    "Missing email. In order to create invoices that are sent to the customer, the customer must have a valid email."
)


@route(
    "POST",
    "/v1/invoices",
    published(
        "InvoiceCreateParams",
        *WRITABLE,
        "currency",
        "customer",
        "pending_invoice_items_behavior",
        "subscription",
        **LIMITS,
    ),
)
def create(call: Call) -> Body:
    subscription = None
    if "subscription" in call.params:
        subscription = fetch_from_parameter("subscription", call["subscription"], param="subscription")
    customer_id = call.get("customer") or (subscription and subscription["customer"])
    if not customer_id:
        raise missing_parameter("customer")
    customer = fetch_from_parameter("customer", customer_id, param="customer")
    fields = _fields(call, customer, _currency(call, customer, subscription))
    is_sent = call.get("collection_method") == "send_invoice"
    if is_sent and "days_until_due" not in call.params and "due_date" not in call.params:
        raise ApiError(
            "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
        )
    pulls = call.get("pending_invoice_items_behavior") == "include" or subscription is not None
    return invoices.create_invoice(
        customer,
        billing_reason="manual",
        includes_pending=pulls,
        subscription=subscription,
        automatic_tax=(call.get("automatic_tax") or {}).get("enabled", False),
        **fields,
    )


def _currency(call: Call, customer: Body, subscription: Body | None) -> str:
    found = call.get("currency") or (subscription or {}).get("currency") or customer["currency"]
    return str(found or default_currency(options().account_country))


def _fields(call: Call, customer: Body, currency: str) -> Body:
    """The fields of an invoice from a call's parameters, checked."""
    skipped = (
        "expand", "subscription", "customer", "currency", "pending_invoice_items_behavior", "automatic_tax", "discounts",
        "application_fee_amount", "transfer_data", "issuer", "payment_settings", "metadata", "default_tax_rates",
    )  # fmt: skip
    fields: Body = {key: value for key, value in call.params.items() if key not in skipped}
    _check_collection(call, customer)
    if "default_tax_rates" in call.params:
        fields["default_tax_rates"] = [
            tax_rate(rate, f"default_tax_rates[{index}]") for index, rate in enumerate(call["default_tax_rates"])
        ]
    if call.get("default_payment_method"):
        _check_method(call["default_payment_method"], customer)
    if "discounts" in call.params:
        fields["discounts"] = granted(call["discounts"], currency=currency, customer=customer)
    if "payment_settings" in call.params:
        types = call["payment_settings"].get("payment_method_types") or None
        fields["payment_settings"] = {
            "default_mandate": None, "payment_method_options": None, "payment_method_types": types,
        }  # fmt: skip
    if call.get("shipping_details"):
        fields["shipping_details"] = {"carrier": None, "phone": None, "tracking_number": None} | call[
            "shipping_details"
        ]
    for name in ("application_fee_amount", "transfer_data"):
        if name in call.params:
            fields[f"_{name}"] = call[name]
    fields["currency"] = currency
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    return fields


def _check_collection(call: Call, customer: Body) -> None:
    is_sent = call.get("collection_method") == "send_invoice"
    if not is_sent and ("days_until_due" in call.params or "due_date" in call.params):
        raise ApiError(
            "You can only specify 'due_date' or 'days_until_due' if invoice collection method is 'send_invoice'."
        )
    if is_sent and not customer.get("email"):  # A deleted customer has no fields.
        raise ApiError(MISSING_EMAIL, param="collection_method")
    if "days_until_due" in call.params and "due_date" in call.params:
        raise ApiError("You may only specify one of these parameters: days_until_due, due_date.", param="due_date")


def _check_method(method_id: str, customer: Body) -> None:
    method = fetch_from_parameter("payment_method", method_id, param="default_payment_method")
    if method["customer"] != customer["id"]:
        raise ApiError(
            f"The customer does not have a payment method with the ID {method_id}. The payment method must be attached "
            "to the customer.",
            code="resource_missing",
            param="default_payment_method",
        )


@route(
    "GET",
    "/v1/invoices",
    published(
        "InvoiceListParams", "collection_method", "created", "customer", "due_date", "ending_before", "limit",
        "starting_after", "subscription", status=Text(choices=STATUSES),
    ),
)  # fmt: skip
def list_invoices(call: Call) -> Body:
    rows = within(store.rows("invoice"), "body__due_date", call.get("due_date"))
    return page(INVOICE, call, url="/v1/invoices", rows=rows)


def named_invoice(call: Call, *, param: str = "invoice") -> Body:
    """The invoice whose id is in the URL. Raises Stripe's 404, naming `param`, if it is missing or deleted."""
    invoice = fetch_from_url(INVOICE, call.ids["invoice"], param=param)
    if invoice.get("deleted"):
        raise no_such("invoice", invoice["id"], param=param, in_url=True)
    return invoice


@route("GET", "/v1/invoices/:invoice")
def retrieve(call: Call) -> Body:
    return named_invoice(call)


@route("POST", "/v1/invoices/:invoice", published("InvoiceUpdateParams", *WRITABLE, **LIMITS))
def update(call: Call) -> Body:
    invoice = named_invoice(call, param="id")
    customer = store.fetch("customer", invoice["customer"])
    given = dict(call.params)
    given.setdefault("collection_method", invoice["collection_method"])
    change = _fields(Call(given, call.ids), customer, invoice["currency"])
    del change["currency"], change["metadata"]
    if "metadata" in call.params:
        change["metadata"] = merge_metadata(invoice["metadata"], call["metadata"])
    if "collection_method" not in call.params:
        del change["collection_method"]
    if "automatic_tax" in call.params:
        change["automatic_tax"] = invoices.automatic_tax_of(is_enabled=call["automatic_tax"]["enabled"])
    return edit_invoice(invoice, change)


@route("DELETE", "/v1/invoices/:invoice")
def delete(call: Call) -> Body:
    return invoices.delete_draft(named_invoice(call))
