"""Invoice items (docs: "The Invoice Item object"). Without an invoice they wait for the customer's next one."""

from typing import Any

from sandbox import store
from sandbox.billing import invoice_items
from sandbox.billing.invoice_edits import drop_line, emitting_update, item_of_line, put_items_on, rewrite_line
from sandbox.billing.invoice_totals import recalculate
from sandbox.billing.invoices import require_draft
from sandbox.billing.item_parameters import DISCOUNTS, PRICE_DATA, item_facts
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

INVOICE_ITEM = register(
    Resource(
        "invoiceitem",
        label="Invoice Item",
        references={
            "customer": "customer",
            "discounts": "discount",
            "invoice": "invoice",
            "pricing.price_details.price": "price",
            "test_clock": "test_helpers.test_clock",
        },
        filters={"customer": "customer", "invoice": "source"},
    )
)
FACTS = (
    "amount", "discountable", *DISCOUNTS, "metadata", "period", *PRICE_DATA, "pricing", "tax_behavior", "tax_rates",
    "unit_amount_decimal",
)  # fmt: skip
LIMITS: dict[str, Any] = {"description": Text(max_length=5000, clearable=True), "quantity": Integer(0)}
# The fields that determine an item's amount; the others only describe it.
AMOUNT_FIELDS = ("amount", "price_data", "pricing", "quantity", "unit_amount_decimal")


@route(
    "POST",
    "/v1/invoiceitems",
    published("InvoiceItemCreateParams", *FACTS, "currency", "customer", "invoice", "subscription", **LIMITS),
)
def create(call: Call) -> Body:
    invoice = _draft(call.get("invoice"))
    customer_id = call.get("customer") or (invoice and invoice["customer"])
    if not customer_id:
        raise missing_parameter("customer")
    customer = fetch_from_parameter("customer", customer_id, param="customer")
    if invoice and invoice["customer"] != customer["id"]:
        raise ApiError("The invoice belongs to a different customer than the one given.", param="invoice")
    if "subscription" in call.params:
        fetch_from_parameter("subscription", call["subscription"], param="subscription")
    facts = item_facts(call.params, customer=customer, currency=invoice["currency"] if invoice else None)
    item = invoice_items.create_item(
        customer, invoice=invoice and invoice["id"], subscription=call.get("subscription"), **facts
    )
    if invoice:
        put_items_on(invoice, [item])
    return item


def _draft(invoice_id: str | None) -> Body | None:
    if invoice_id is None:
        return None
    invoice = fetch_from_parameter("invoice", invoice_id, param="invoice")
    require_draft(invoice)
    return invoice


@route(
    "GET",
    "/v1/invoiceitems",
    published("InvoiceItemListParams", "created", "customer", "ending_before", "invoice", "limit", "pending",
              "starting_after"),
)  # fmt: skip
def list_items(call: Call) -> Body:
    rows = store.rows("invoiceitem")
    if "pending" in call.params:
        waiting = rows.filter(source=None)
        rows = waiting if call["pending"] else rows.exclude(source=None)
    return page(INVOICE_ITEM, call, url="/v1/invoiceitems", rows=rows)


@route("GET", "/v1/invoiceitems/:invoiceitem")
def retrieve(call: Call) -> Body:
    return _existing(call)


def _existing(call: Call) -> Body:
    item = fetch_from_url(INVOICE_ITEM, call.ids["invoiceitem"])
    if item.get("deleted"):
        raise no_such("Invoice Item", item["id"], in_url=True)
    return item


def _editable(item: Body) -> Body | None:
    """The draft that an item is on, or None. Raises Stripe's 400 if its invoice has been finalized."""
    invoice = store.find("invoice", item["invoice"] or "")
    if invoice and invoice["status"] != "draft":
        raise ApiError(
            "This invoice item can no longer be changed, because it is on an invoice that has been finalized.",
            code="invoice_not_editable",
            is_executed=True,
        )
    return invoice


@route("POST", "/v1/invoiceitems/:invoiceitem", published("InvoiceItemUpdateParams", *FACTS, **LIMITS))
def update(call: Call) -> Body:
    item = _existing(call)
    invoice = _editable(item)
    store.save(item | changed_facts(item, call.params))
    item = store.fetch("invoiceitem", item["id"])
    if invoice:
        with emitting_update(invoice):
            rewrite_line(invoice, item)
            recalculate(invoice)
    return item


def changed_facts(item: Body, params: Body, *, path: str = "") -> Body:
    """New values for an item's fields, only for those that `params` changes."""
    customer = store.fetch("customer", item["customer"])
    known: Body = {"amount": item["amount"], "quantity": item["quantity"]}
    known["_product"] = item["pricing"] and item["pricing"]["price_details"]["product"]
    priced = item["pricing"] and "amount" not in params and "unit_amount_decimal" not in params
    if priced and not ("pricing" in params or "price_data" in params):
        known["_price"] = item["pricing"]["price_details"]["price"]
    facts = item_facts(known | params, customer=customer, currency=item["currency"], path=path)
    made = invoice_items.build_item(customer, **facts)
    change: Body = {key: made[key] for key in ("discountable", "discounts", "period", "tax_rates") if key in params}
    if any(key in params for key in AMOUNT_FIELDS):
        change |= {key: made[key] for key in ("amount", "net_amount", "pricing", "quantity", "quantity_decimal")}
    if "description" in params:
        change["description"] = params["description"]
    if "metadata" in params:
        change["metadata"] = merge_metadata(item["metadata"], params["metadata"])
    if params.get("tax_behavior"):
        change["_tax_behavior"] = params["tax_behavior"]
    return change


@route("DELETE", "/v1/invoiceitems/:invoiceitem")
def delete(call: Call) -> Body:
    item = _existing(call)
    invoice = _editable(item)
    if invoice is None:
        return invoice_items.delete_item(item)
    with emitting_update(invoice):
        for line in list(invoice["lines"]["data"]):
            if item_of_line(line) == item["id"]:
                drop_line(invoice, line, keeps_item=False)
        recalculate(invoice)
    return {"id": item["id"], "object": "invoiceitem", "deleted": True}
