"""What an invoice does by itself: it is finalized, charged or sent, tried again, and overdue."""

from sandbox import store
from sandbox.billing import invoice_payments
from sandbox.billing.invoice_ending import send_invoice
from sandbox.billing.invoice_finalizing import finalize_invoice
from sandbox.billing.invoice_paying import pay_invoice
from sandbox.billing.invoice_settling import is_collected_automatically, tell
from sandbox.protocol.errors import ApiError
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit


@step("finalize_invoice")
def finalize_when_due(invoice_id: str) -> None:
    """The hour in which a draft could still be changed is over."""
    invoice = store.fetch("invoice", invoice_id)
    if invoice.get("deleted") or invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    try:
        finalize_invoice(invoice, collects_later=False)
    except ApiError as error:
        _note_finalization_failure(store.fetch("invoice", invoice_id), error)
        return
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        send_invoice(invoice)
    else:
        collect(invoice)


def _note_finalization_failure(invoice: Body, error: ApiError) -> None:
    tax = invoice["automatic_tax"] | {
        "disabled_reason": "finalization_requires_location_inputs",
        "enabled": False,
        "status": "requires_location_inputs",
    }
    invoice |= {"automatic_tax": tax, "last_finalization_error": error.fields()}
    store.save(invoice)
    emit("invoice.finalization_failed", invoice)


@step("collect_invoice")
def collect_when_due(invoice_id: str) -> None:
    """The moment of the next automatic attempt has come."""
    collect(store.fetch("invoice", invoice_id))


@step("overdue_invoice")
def note_overdue(invoice_id: str) -> None:
    """Its due date has passed and it is still open."""
    invoice = store.fetch("invoice", invoice_id)
    if invoice["status"] == "open":
        emit("invoice.overdue", invoice)
        tell(invoice, "overdue")


def collect(invoice: Body) -> None:
    """The next automatic step of a finalized invoice: charge it, unless its money is asked for by mail."""
    if invoice["status"] == "open" and is_collected_automatically(invoice):
        intent = invoice_payments.intent_of(invoice)
        if intent is None or intent["status"] != "processing":
            pay_invoice(invoice, is_automatic=True)
