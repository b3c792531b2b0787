"""Finalizing: a draft gets its number and its due amount; after that only its payment changes it."""

from sandbox import clock, store
from sandbox.billing import clocks, invoice_payments
from sandbox.billing.credit import balance_of, move_balance
from sandbox.billing.invoice_settling import is_collected_automatically, mark_paid
from sandbox.billing.invoice_totals import balance_after, place_of, recalculate
from sandbox.billing.taxes import automatic_status
from sandbox.options import options
from sandbox.protocol.errors import ApiError
from sandbox.schedule import unschedule
from sandbox.store import Body
from sandbox.webhooks.events import emit

HOUR = 3600
DAY = 24 * HOUR
NO_LOCATION = (
    "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax."
)


def finalize_invoice(
    invoice: Body, *, auto_advance: bool | None = None, collects_later: bool = True, paid_by: Body | None = None
) -> Body:
    """Number a draft and open it for payment; one with nothing due is paid at once.

    `collects_later` plans the attempt that Stripe makes an hour after a manual finalization; False if the caller pays
    right away. `paid_by` is an intent that has already been paid.
    """
    if invoice["status"] != "draft":
        raise ApiError(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", is_executed=True
        )
    with clocks.time_of(invoice):
        if auto_advance is not None:
            invoice["auto_advance"] = auto_advance
        _open(invoice)
        emit("invoice.finalized", invoice)
        if paid_by and invoice["amount_due"]:
            invoice_payments.take_payment(invoice, paid_by)
        if paid_by or invoice["amount_due"] == 0:
            mark_paid(invoice, how="nothing_due")
            return invoice
        invoice_payments.open_payment(invoice)
        if collects_later:
            plan_collection(invoice)
        _plan_overdue(invoice)
        return store.save(invoice)


def take_customer_details(invoice: Body, customer: Body | None) -> None:
    """Copy the customer's details to the invoice: a draft follows them, finalizing freezes them."""
    if customer is None or customer.get("deleted"):
        return
    tax_ids = store.rows("tax_id").filter(customer=customer["id"]).values_list("body", flat=True)
    shipping = customer["shipping"]
    invoice |= {
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": shipping and {"carrier": None, "tracking_number": None} | shipping,
        "customer_tax_exempt": customer["tax_exempt"],
        "customer_tax_ids": [{"type": tax_id["type"], "value": tax_id["value"]} for tax_id in tax_ids],
    }


def _open(invoice: Body) -> None:
    customer = store.find("customer", invoice["customer"])
    take_customer_details(invoice, customer)
    if invoice["automatic_tax"]["enabled"] and automatic_status(place_of(invoice)) != "complete":
        raise ApiError(NO_LOCATION, code="customer_tax_location_invalid", is_executed=True)
    recalculate(invoice, balance=balance_of(customer, invoice["currency"]))
    unschedule("finalize_invoice", invoice["id"])
    now = clock.now()
    page = f"{options().public_url}/i/{invoice['id']}"
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": invoice["effective_at"] or now,
        "ending_balance": balance_after(invoice),
        "hosted_invoice_url": page,
        "invoice_pdf": f"{page}/pdf",
        "next_payment_attempt": None,
        "number": invoice["number"] or _next_number(customer, invoice),
        "status": "open",
        "status_transitions": invoice["status_transitions"] | {"finalized_at": now},
    }
    if invoice.get("_days_until_due") is not None:
        invoice["due_date"] = now + invoice["_days_until_due"] * DAY
    store.save(invoice)
    _move_balance(invoice)


def _move_balance(invoice: Body) -> None:
    is_too_small = invoice["total"] + invoice["starting_balance"] > 0 and invoice["amount_due"] == 0
    kind = "invoice_too_small" if is_too_small else "applied_to_invoice"
    moved = invoice["ending_balance"] - invoice["starting_balance"]
    move_balance(invoice["customer"], moved, currency=invoice["currency"], kind=kind, invoice=invoice["id"])


def _next_number(customer: Body | None, invoice: Body) -> str:
    """The customer's prefix and the number of the next invoice."""
    if customer is None or customer.get("deleted"):
        return f"{invoice['id'][-8:].upper()}-0001"
    sequence = customer.get("next_invoice_sequence") or 1
    store.save(customer | {"next_invoice_sequence": sequence + 1})
    return f"{customer['invoice_prefix']}-{sequence:04d}"


def plan_collection(invoice: Body) -> None:
    """Schedule the charge of an open invoice in an hour, if it is collected automatically; the caller stores it."""
    if is_collected_automatically(invoice):
        invoice["next_payment_attempt"] = clock.now() + HOUR
        clocks.schedule_in_time_of(invoice, "collect_invoice", invoice["id"], after=HOUR)


def _plan_overdue(invoice: Body) -> None:
    if invoice["due_date"] is not None:
        clocks.schedule_in_time_of(invoice, "overdue_invoice", invoice["id"], at=invoice["due_date"])
