"""The automatic steps of an invoice: finalizing, charging or sending, retrying, becoming overdue."""

from sandbox import store
from sandbox.billing import invoice_payments
from sandbox.billing.invoice_ending import send_invoice
from sandbox.billing.invoice_finalizing import finalize_invoice
from sandbox.billing.invoice_paying import pay_invoice
from sandbox.billing.invoice_settling import is_collected_automatically, run_callbacks
from sandbox.protocol.errors import ApiError
from sandbox.schedule import step
from sandbox.store import Body
from sandbox.webhooks.events import emit


@step("finalize_invoice")
def finalize_when_due(invoice_id: str) -> None:
    """Finalize a draft once the hour in which it could be changed is over."""
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
    """Make the next automatic attempt when its time has come."""
    collect(store.fetch("invoice", invoice_id))


@step("overdue_invoice")
def note_overdue(invoice_id: str) -> None:
    """Emit invoice.overdue for an invoice still open after its due date."""
    invoice = store.fetch("invoice", invoice_id)
    if invoice["status"] == "open":
        emit("invoice.overdue", invoice)
        run_callbacks(invoice, "overdue")


def collect(invoice: Body) -> None:
    """Take the next automatic step of a finalized invoice: charge it, or send it where it is paid on request."""
    if invoice["status"] == "open" and is_collected_automatically(invoice):
        intent = invoice_payments.intent_of(invoice)
        if intent is None or intent["status"] != "processing":
            pay_invoice(invoice, is_automatic=True)
