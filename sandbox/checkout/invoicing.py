"""The invoice of a one-off payment, for shops that ask for one (docs: "Post-payment invoices")."""

from sandbox import clock, store
from sandbox.billing import invoices
from sandbox.billing.invoice_finalizing import finalize_invoice
from sandbox.billing.periods import Period
from sandbox.store import Body


def invoice_session(session: Body) -> None:
    """Write the invoice of a session that was paid, if it is to have one. The caller stores the session."""
    wanted = session["invoice_creation"]
    if not (wanted and wanted["enabled"]) or session["invoice"] or session["mode"] != "payment":
        return
    customer = store.fetch("customer", session["customer"])
    data = wanted["invoice_data"]
    now = clock.now()
    discount = session["_discount"]
    invoice = invoices.create_invoice(
        customer,
        currency=session["currency"],
        billing_reason="manual",
        lines=[_line(item, Period(now, now)) for item in session["_line_items"]],
        description=data["description"],
        metadata=data["metadata"] or {},
        discounts=[discount["id"]] if discount else [],
        automatic_tax=session["automatic_tax"]["enabled"],
        custom_fields=data["custom_fields"],
        footer=data["footer"],
    )
    intent = store.find("payment_intent", session["payment_intent"] or "")
    finalize_invoice(invoice, collects_later=False, paid_by=intent)
    session["invoice"] = invoice["id"]


def _line(item: Body, period: Period) -> Body:
    return invoices.new_line(
        amount=item["amount_subtotal"],
        currency=item["currency"],
        description=item["description"],
        period=period,
        parent={
            "invoice_item_details": None,
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        price=item["price"],
        quantity=item["quantity"],
        metadata=item["metadata"],
        tax_rates=item["_tax_rates"],
    )
