"""Status transitions of invoices: finalize, pay, send, void, mark uncollectible (docs: "Status transitions")."""

from sandbox.billing import invoice_collecting, invoices
from sandbox.payments.methods import CARD_PREFIXES
from sandbox.protocol.errors import ApiError
from sandbox.protocol.published import published
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.protocol.routing import Call, route
from sandbox.resources.invoices import named_invoice
from sandbox.store import Body

assert invoice_collecting, "importing it registers the scheduled steps of invoices"  # noqa: S101


@route("POST", "/v1/invoices/:invoice/finalize", published("InvoiceFinalizeInvoiceParams", "auto_advance"))
def finalize(call: Call) -> Body:
    return invoices.finalize_invoice(named_invoice(call, param="id"), auto_advance=call.get("auto_advance"))


@route(
    "POST",
    "/v1/invoices/:invoice/pay",
    published("InvoicePayParams", "forgive", "off_session", "paid_out_of_band", "payment_method"),
)
def pay(call: Call) -> Body:
    invoice = named_invoice(call, param="id")
    attempt = invoices.pay_invoice(
        invoice,
        payment_method=_method(call, invoice),
        off_session=call.get("off_session", True),
        paid_out_of_band=call.get("paid_out_of_band", False),
    )
    if attempt.error:
        raise attempt.error
    return attempt.invoice


def _method(call: Call, invoice: Body) -> str | None:
    """The payment method in the call: one of the customer's, or an alias of a test card."""
    given: str | None = call.get("payment_method")
    if given is None or given.startswith(CARD_PREFIXES):
        return given
    method = fetch_from_parameter("payment_method", given, param="payment_method")
    if method["customer"] not in (None, invoice["customer"]):
        raise ApiError(
            "The payment method supplied belongs to a different Customer than the invoice.", param="payment_method"
        )
    return given


@route("POST", "/v1/invoices/:invoice/send", published("InvoiceSendInvoiceParams"))
def send(call: Call) -> Body:
    return invoices.send_invoice(named_invoice(call))


@route("POST", "/v1/invoices/:invoice/void", published("InvoiceVoidInvoiceParams"))
def void(call: Call) -> Body:
    return invoices.void_invoice(named_invoice(call, param="id"))


@route("POST", "/v1/invoices/:invoice/mark_uncollectible", published("InvoiceMarkUncollectibleParams"))
def mark_uncollectible(call: Call) -> Body:
    return invoices.mark_uncollectible(named_invoice(call, param="id"))
