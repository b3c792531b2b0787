"""An invoice's payment intent, and the invoice payment that links the two (docs: "Invoice payments")."""

from sandbox import clock, identifiers, store
from sandbox.payments import intents
from sandbox.payments.captures import CANCELABLE, cancel_intent
from sandbox.store import Body

DESCRIPTIONS = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_threshold": "Subscription update",
    "subscription_update": "Subscription update",
}
# The first payment, and a payment for a change, also save the method for renewals.
KEEPS_METHOD = ("subscription_create", "subscription_update")


def open_payment(invoice: Body) -> Body:
    """The intent of a finalized invoice and its invoice payment, stored; emits payment_intent.created.

    The caller stores the invoice, which remembers the intent.
    """
    reason = invoice["billing_reason"]
    connected = {key: invoice[f"_{key}"] for key in ("application_fee_amount", "transfer_data")
                 if invoice.get(f"_{key}")}  # fmt: skip
    intent = intents.create_intent(
        amount=invoice["amount_due"],
        currency=invoice["currency"],
        capture_method="automatic",
        customer=invoice["customer"],
        description=DESCRIPTIONS.get(reason) or invoice["description"] or "Payment for Invoice",
        on_behalf_of=invoice["on_behalf_of"],
        payment_method_types=payment_method_types(invoice),
        setup_future_usage="off_session" if reason in KEEPS_METHOD else None,
        statement_descriptor=invoice["statement_descriptor"],
        _invoice=invoice["id"],
        **connected,
    )
    invoice["_intent"] = intent["id"]
    return _new_payment(invoice, intent)


def take_payment(invoice: Body, intent: Body) -> Body:
    """Link an invoice to an intent that was paid before it existed, as in Checkout. The caller stores the invoice."""
    invoice["_intent"] = intent["id"]
    return _new_payment(invoice, intent)


def payment_method_types(invoice: Body) -> list[str]:
    """The payment method types of an invoice: its own, or else cards and the bank debits of its currency."""
    chosen: list[str] | None = invoice["payment_settings"]["payment_method_types"]
    return chosen or ["card"] + (["sepa_debit"] if invoice["currency"] == "eur" else [])


def _new_payment(invoice: Body, intent: Body) -> Body:
    return store.insert(
        {
            "id": identifiers.new_id("inpay_1", 23),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": invoice["amount_due"],
            "created": clock.now(),
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )


def payments_of(invoice_id: str) -> list[Body]:
    """All payments of an invoice, newest first."""
    rows = store.rows("invoice_payment").filter(source=invoice_id)
    return list(rows.order_by("-sequence").values_list("body", flat=True))


def default_payment_of(invoice: Body) -> Body | None:
    """The payment that an open invoice waits for."""
    return next((payment for payment in payments_of(invoice["id"]) if payment["is_default"]), None)


def intent_of(invoice: Body) -> Body | None:
    """The intent that an invoice waits for, if there was anything to pay."""
    return store.find("payment_intent", invoice.get("_intent") or "")


def mark_paid(payment: Body) -> None:
    payment |= {"amount_paid": payment["amount_requested"], "status": "paid"}
    payment["status_transitions"] = payment["status_transitions"] | {"paid_at": clock.now()}
    store.save(payment)


def cancel_payment(invoice: Body) -> None:
    """Cancel the payment that an invoice waited for; emits payment_intent.canceled."""
    payment, intent = default_payment_of(invoice), intent_of(invoice)
    if payment and payment["status"] == "open":
        payment["status"] = "canceled"
        payment["status_transitions"] = payment["status_transitions"] | {"canceled_at": clock.now()}
        store.save(payment)
    if intent and intent["status"] in CANCELABLE:
        cancel_intent(intent, reason="void_invoice")
