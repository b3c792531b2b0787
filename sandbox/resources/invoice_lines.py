"""Lines of an invoice over the API (docs: "The Invoice Line Item object")."""

from sandbox import store
from sandbox.billing import invoice_items
from sandbox.billing.invoice_edits import (
    drop_line,
    emitting_update,
    item_of_line,
    line_of,
    put_items_on,
    rewrite_line,
)
from sandbox.billing.invoice_totals import recalculate
from sandbox.billing.invoices import require_draft
from sandbox.billing.item_parameters import item_facts
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page_of_items
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, presented, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.invoice_items import changed_facts
from sandbox.resources.invoices import named_invoice
from sandbox.store import Body

LINE = register(
    Resource(
        "line_item",
        references={
            "discount_amounts.discount": "discount",
            "discounts": "discount",
            "pricing.price_details.price": "price",
        },
    )
)
WRITABLE = (
    "amount", "description", "discountable", "discounts.coupon", "discounts.discount", "discounts.promotion_code",
    "metadata", "period", "price_data", "pricing", "quantity", "tax_rates",
)  # fmt: skip


@route(
    "GET",
    "/v1/invoices/:invoice/lines",
    published("InvoiceLineItemListParams", "ending_before", "limit", "starting_after"),
)
def list_lines(call: Call) -> Body:
    invoice = named_invoice(call)
    lines = [presented(line) for line in invoice["lines"]["data"]]
    return page_of_items(lines, call, url=f"/v1/invoices/{invoice['id']}/lines")


@route(
    "POST",
    "/v1/invoices/:invoice/add_lines",
    published("InvoiceAddLinesParams", "invoice_metadata", *(f"lines.{name}" for name in (*WRITABLE, "invoice_item"))),
)
def add_lines(call: Call) -> Body:
    invoice = named_invoice(call)
    require_draft(invoice)
    customer = store.fetch("customer", invoice["customer"])
    items = [_item(line, invoice, customer, f"lines[{index}]") for index, line in enumerate(call["lines"])]
    put_items_on(invoice, items)
    return _with_metadata(invoice, call)


def _item(line: Body, invoice: Body, customer: Body, path: str) -> Body:
    """The invoice item of a new line: the pending one that the line names, or a new one."""
    _require_amount_or_quantity(line, path)
    if "invoice_item" not in line:
        facts = item_facts(line, customer=customer, currency=invoice["currency"], path=path)
        return invoice_items.create_item(customer, invoice=invoice["id"], **facts)
    item = fetch_from_parameter("invoiceitem", line["invoice_item"], param=f"{path}[invoice_item]")
    if item["invoice"] is not None or item["customer"] != customer["id"]:
        raise ApiError(
            f"The invoice item {item['id']} is not a pending item of this customer.", param=f"{path}[invoice_item]"
        )
    invoice_items.assign_items([item], invoice["id"])
    return item


def _require_amount_or_quantity(line: Body, path: str) -> None:
    if "amount" in line and "quantity" in line:
        named = f"{path}[amount]" if path else "amount"
        raise ApiError("You may only specify one of these parameters: amount, quantity.", param=named)


def _with_metadata(invoice: Body, call: Call) -> Body:
    if "invoice_metadata" in call.params:
        with emitting_update(invoice):
            invoice["metadata"] = merge_metadata(invoice["metadata"], call["invoice_metadata"])
    return invoice


@route(
    "POST",
    "/v1/invoices/:invoice/update_lines",
    published("InvoiceUpdateLinesParams", "invoice_metadata", *(f"lines.{name}" for name in (*WRITABLE, "id"))),
)
def update_lines(call: Call) -> Body:
    invoice = named_invoice(call)
    require_draft(invoice)
    with emitting_update(invoice):
        for index, sent in enumerate(call["lines"]):
            path = f"lines[{index}]"
            _change(invoice, line_of(invoice, sent["id"], param=f"{path}[id]"), sent, path)
        recalculate(invoice)
    return _with_metadata(invoice, call)


@route("POST", "/v1/invoices/:invoice/lines/:line_item_id", published("InvoiceLineItemUpdateParams", *WRITABLE))
def update_line(call: Call) -> Body:
    invoice = named_invoice(call)
    require_draft(invoice)
    line_id = call.ids["line_item_id"]
    line = line_of(invoice, line_id, param="line_item_id", in_url=True)
    with emitting_update(invoice):
        _change(invoice, line, {key: value for key, value in call.params.items() if key != "expand"}, "")
        recalculate(invoice)
    return line_of(invoice, line_id, param="line_item_id")


def _change(invoice: Body, line: Body, sent: Body, path: str) -> None:
    _require_amount_or_quantity(sent, path)
    item = store.find("invoiceitem", item_of_line(line) or "")
    if item is not None:
        store.save(item | changed_facts(item, sent, path=path))
        rewrite_line(invoice, store.fetch("invoiceitem", item["id"]))
        return
    # The amount of a subscription's line comes from the subscription; only its description may be changed.
    fixed = [key for key in sent if key not in ("id", "description", "discountable", "metadata", "period")]
    if fixed:
        raise ApiError(f"`{fixed[0]}` of a subscription's line cannot be changed.", param=f"{path}[{fixed[0]}]")
    line |= {key: sent[key] for key in ("description", "discountable", "period") if key in sent}
    if "metadata" in sent:
        line["metadata"] = merge_metadata(line["metadata"], sent["metadata"])


@route(
    "POST",
    "/v1/invoices/:invoice/remove_lines",
    published("InvoiceRemoveLinesParams", "invoice_metadata", "lines"),
)
def remove_lines(call: Call) -> Body:
    invoice = named_invoice(call)
    require_draft(invoice)
    with emitting_update(invoice):
        for index, sent in enumerate(call["lines"]):
            line = line_of(invoice, sent["id"], param=f"lines[{index}][id]")
            drop_line(invoice, line, keeps_item=sent["behavior"] == "unassign")
        recalculate(invoice)
    return _with_metadata(invoice, call)
