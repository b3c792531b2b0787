"""Sending, voiding and writing off invoices, and deleting drafts."""

from sandbox import clock, store
from sandbox.billing import clocks, invoice_items, invoice_payments
from sandbox.billing.credit import move_balance
from sandbox.billing.invoice_finalizing import finalize_invoice
from sandbox.billing.invoice_settling import NOT_OPEN, OPEN, run_callbacks, stop_collecting
from sandbox.protocol.errors import ApiError
from sandbox.store import Body
from sandbox.webhooks.events import emit

NOT_NOW = (
    "This invoice cannot be sent right now. Please contact us via https://support.stripe.com/contact with details, so "
    "we can help."
)


def send_invoice(invoice: Body) -> Body:
    """Pretend to mail an invoice; a draft is finalized first. Emits invoice.sent."""
    if invoice["collection_method"] != "send_invoice":
        raise ApiError(NOT_NOW, is_executed=True)
    if invoice["status"] == "draft":
        finalize_invoice(invoice)
    elif invoice["status"] not in OPEN:
        raise ApiError(NOT_NOW, is_executed=True)
    with clocks.time_of(invoice):
        emit("invoice.sent", invoice)
    return invoice


def void_invoice(invoice: Body) -> Body:
    """Cancel an open invoice for good; its number stays in use, and the credit it used is returned."""
    if invoice["status"] == "paid":
        raise ApiError("Invoices with `paid` payments cannot be voided.", is_executed=True)
    if invoice["status"] not in OPEN:
        raise ApiError(NOT_OPEN, is_executed=True)
    with clocks.time_of(invoice):
        used = invoice["ending_balance"] - invoice["starting_balance"]
        _end(invoice, "void", "voided_at", "invoice.voided")
        invoice_payments.cancel_payment(invoice)
        move_balance(
            invoice["customer"],
            -used,
            currency=invoice["currency"],
            kind="unapplied_from_invoice",
            invoice=invoice["id"],
        )
        run_callbacks(invoice, "voided")
    return invoice


def mark_uncollectible(invoice: Body) -> Body:
    """Write an open invoice off; it can still be paid or voided."""
    if invoice["status"] == "uncollectible":
        raise ApiError("This invoice has already been marked uncollectible.", is_executed=True)
    if invoice["status"] != "open":
        raise ApiError(NOT_OPEN, is_executed=True)
    with clocks.time_of(invoice):
        _end(invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")
        run_callbacks(invoice, "uncollectible")
    return invoice


def _end(invoice: Body, status: str, moment: str, event: str) -> None:
    previous: Body = {"status": invoice["status"], "status_transitions": {moment: None}}
    previous |= {key: invoice[key] for key in ("auto_advance", "next_payment_attempt") if invoice[key]}
    stop_collecting(invoice)
    invoice |= {"status": status, "status_transitions": invoice["status_transitions"] | {moment: clock.now()}}
    store.save(invoice)
    emit("invoice.updated", invoice, previous=previous)
    emit(event, invoice)


def delete_draft(invoice: Body) -> Body:
    """Remove a draft with the invoice items on it. Returns the stub."""
    if invoice["status"] != "draft":
        raise ApiError("You can only delete draft invoices.", is_executed=True)
    if invoice["parent"]:
        raise ApiError("You can't delete invoices created by subscriptions.", is_executed=True)
    stop_collecting(invoice)
    invoice_items.bury_items(invoice)
    stub = store.mark_deleted(invoice)
    emit("invoice.deleted", invoice)
    return stub
