"""What else can become of an invoice: sent, voided, given up, or deleted while it is a draft."""

from sandbox import clock, store
from sandbox.billing import clocks, invoice_items, invoice_payments
from sandbox.billing.credit import move_balance
from sandbox.billing.invoice_finalizing import finalize_invoice
from sandbox.billing.invoice_settling import OPEN, stop_collecting, tell
from sandbox.protocol.errors import ApiError
from sandbox.store import Body
from sandbox.webhooks.events import emit


def send_invoice(invoice: Body) -> Body:
    """Mail an invoice, in pretence; a draft is finalized first. Emits invoice.sent."""
    if invoice["collection_method"] != "send_invoice":
        raise ApiError(
            "You can only send an invoice whose collection method is `send_invoice`.", param="collection_method"
        )
    if invoice["status"] == "draft":
        finalize_invoice(invoice)
    if invoice["status"] not in (*OPEN, "paid"):
        raise ApiError(f"You cannot send an invoice with a status of {invoice['status']}.", is_executed=True)
    with clocks.time_of(invoice):
        emit("invoice.sent", invoice)
    return invoice


def void_invoice(invoice: Body) -> Body:
    """Cancel an open invoice for good; its number stays taken, and credit it used goes back."""
    _require(invoice, OPEN, "void")
    with clocks.time_of(invoice):
        used = invoice["ending_balance"] - invoice["starting_balance"]
        _end(invoice, "void", "voided_at", "invoice.voided")
        invoice_payments.cancel_payment(invoice)
        move_balance(
            invoice["customer"], -used, currency=invoice["currency"], kind="unapplied_from_invoice",
            invoice=invoice["id"],
        )  # fmt: skip
        tell(invoice, "voided")
    return invoice


def mark_uncollectible(invoice: Body) -> Body:
    """Write an open invoice off; it can still be paid or voided."""
    _require(invoice, ("open",), "mark as uncollectible")
    with clocks.time_of(invoice):
        _end(invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")
        tell(invoice, "uncollectible")
    return invoice


def _require(invoice: Body, states: tuple[str, ...], verb: str) -> None:
    if invoice["status"] not in states:
        raise ApiError(
            f"You cannot {verb} an invoice with a status of {invoice['status']}; it must be {' or '.join(states)}.",
            is_executed=True,
        )


def _end(invoice: Body, status: str, moment: str, event: str) -> None:
    previous: Body = {"status": invoice["status"], "status_transitions": {moment: None}}
    previous |= {key: invoice[key] for key in ("auto_advance", "next_payment_attempt") if invoice[key]}
    stop_collecting(invoice)
    invoice |= {"status": status, "status_transitions": invoice["status_transitions"] | {moment: clock.now()}}
    store.save(invoice)
    emit("invoice.updated", invoice, previous=previous)
    emit(event, invoice)


def delete_draft(invoice: Body) -> Body:
    """Remove a draft; invoice items it had collected are pending again. Returns the stub."""
    if invoice["status"] != "draft":
        raise ApiError("You can only delete draft invoices.", code="invoice_not_editable", is_executed=True)
    if invoice["parent"]:
        raise ApiError("You can't delete invoices created by subscriptions.", is_executed=True)
    stop_collecting(invoice)
    invoice_items.release_items(invoice)
    stub = store.mark_deleted(invoice)
    emit("invoice.deleted", invoice)
    return stub
