"""Invoice payments (docs: "The Invoice Payment object"), which link invoices to payment intents."""

from sandbox import store
from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

INVOICE_PAYMENT = register(
    Resource(
        "invoice_payment",
        references={"invoice": "invoice", "payment.payment_intent": "payment_intent"},
        filters={"invoice": "source", "status": "status"},
    )
)


@route(
    "GET",
    "/v1/invoice_payments",
    published(
        "InvoicePaymentListParams", "created", "ending_before", "invoice", "limit", "payment.payment_intent",
        "payment.type", "starting_after", "status",
    ),
)  # fmt: skip
def list_payments(call: Call) -> Body:
    rows = store.rows("invoice_payment")
    for name, value in (call.get("payment") or {}).items():
        rows = rows.filter(**{f"body__payment__{name}": value})
    return page(INVOICE_PAYMENT, call, url="/v1/invoice_payments", rows=rows)


@route("GET", "/v1/invoice_payments/:invoice_payment")
def retrieve(call: Call) -> Body:
    return fetch_from_url(INVOICE_PAYMENT, call.ids["invoice_payment"], param="invoice_payment")
