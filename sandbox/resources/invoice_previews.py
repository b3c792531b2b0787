"""Previews of a customer's or a subscription's next invoice, also after a change (docs: "Preview an invoice").

The change is made with the same functions as a real one and then undone, so a preview shows what would happen.
"""

from typing import Any

from sandbox import clock, identifiers, store
from sandbox.billing import clocks, invoice_items, invoices, subscription_ending
from sandbox.billing.invoice_totals import recalculate
from sandbox.billing.item_parameters import DISCOUNTS, granted, item_facts
from sandbox.billing.rehearsals import rehearse
from sandbox.billing.renewals import upcoming_invoice
from sandbox.billing.subscriptions import ONGOING, ends_before_renewal, renews_at
from sandbox.options import options
from sandbox.payments.fees import default_currency
from sandbox.payments.methods import EMPTY_ADDRESS
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.published import published
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.protocol.routing import Call, route
from sandbox.resources import subscriptions
from sandbox.store import Body

ITEMS = ("amount", "currency", "description", "discountable", "metadata", "period", "price", "price_data", "quantity",
         "tax_behavior", "tax_rates", "unit_amount", "unit_amount_decimal")  # fmt: skip
DETAILS = ("billing_cycle_anchor", "cancel_at_period_end", "cancel_now", "default_tax_rates",
           "proration_behavior", "proration_date", "trial_end")  # fmt: skip
PLANNED = ("deleted", "id", "metadata", "plan", "price", "price_data", "quantity", "tax_rates")
# Which of those apply to a new subscription, and which to a changed one.
FOR_NEW = ("billing_cycle_anchor", "default_tax_rates", "items", "proration_behavior", "trial_end")
FOR_CHANGE = ("cancel_at_period_end", "proration_date", *FOR_NEW)


@route(
    "POST",
    "/v1/invoices/create_preview",
    published(
        "InvoiceCreatePreviewParams", "automatic_tax.enabled", "currency", "customer", "customer_details.address",
        "customer_details.tax_exempt", *DISCOUNTS, *(f"invoice_items.{name}" for name in ITEMS), "subscription",
        *(f"subscription_details.{name}" for name in DETAILS),
        *(f"subscription_details.items.{name}" for name in PLANNED),
    ),
)  # fmt: skip
def create_preview(call: Call) -> Body:
    customer = _customer(call)
    with clocks.time_of(customer):
        return rehearse(lambda: _as_preview(_adjusted(_next_invoice(call, customer), call, customer)))


def _customer(call: Call) -> Body:
    if "customer" in call.params:
        return fetch_from_parameter("customer", call["customer"], param="customer")
    if "subscription" not in call.params:
        raise missing_parameter("customer")
    subscription = fetch_from_parameter("subscription", call["subscription"], param="subscription")
    return store.fetch("customer", subscription["customer"])


def _next_invoice(call: Call, customer: Body) -> Body:
    """Make the requested invoice; the rehearsal undoes it."""
    details: Body = call.get("subscription_details") or {}
    subscription = _subscription(call, customer, details)
    if subscription:
        _add_items(call, customer, currency=subscription["currency"], subscription=subscription["id"])
        return _of_changed(subscription, details)
    if not details.get("items"):
        return _one_off(call, customer)
    given = {name: details[name] for name in FOR_NEW if name in details}
    made = subscriptions.create(
        Call({"customer": customer["id"], "payment_behavior": "default_incomplete", **given}, {})
    )
    invoice = store.fetch("invoice", made["latest_invoice"])
    return _with_items(invoice, _add_items(call, customer, currency=invoice["currency"]))


def _subscription(call: Call, customer: Body, details: Body) -> Body | None:
    """The subscription to preview: the named one, or else the customer's that renews next."""
    if "subscription" in call.params:
        subscription = fetch_from_parameter("subscription", call["subscription"], param="subscription")
        if subscription["customer"] != customer["id"]:
            raise ApiError("The subscription belongs to another customer.", param="subscription")
        return subscription
    if details.get("items"):
        return None
    rows = store.rows("subscription").filter(customer=customer["id"], status__in=ONGOING).order_by("sequence")
    renewing = [found for found in rows.values_list("body", flat=True) if not ends_before_renewal(found)]
    currency = call.get("currency")
    return min((one for one in renewing if currency in (None, one["currency"])), key=renews_at, default=None)


def _of_changed(subscription: Body, details: Body) -> Body:
    """The invoice that a change creates immediately, or else the next one of the changed subscription."""
    before = subscription["latest_invoice"]
    given = {name: details[name] for name in FOR_CHANGE if name in details}
    if details.get("cancel_now"):
        return _of_ended(subscription, prorates=details.get("proration_behavior") != "none")
    if given:
        subscription = subscriptions.update(Call(given, {"subscription": subscription["id"]}))
    if subscription["status"] in ("canceled", "incomplete_expired"):
        raise _no_upcoming_invoice(f"subscription: {subscription['id']}")
    if subscription["latest_invoice"] != before:
        return store.fetch("invoice", subscription["latest_invoice"])
    if ends_before_renewal(subscription):
        return _of_pending_items(subscription)
    return upcoming_invoice(subscription)


def _of_ended(subscription: Body, *, prorates: bool) -> Body:
    """The final invoice, with remaining charges and credits, if the subscription is canceled now."""
    return _of_pending_items(subscription_ending.cancel(subscription, prorates=prorates))


def _of_pending_items(subscription: Body) -> Body:
    """An invoice for the pending items of a subscription that will not renew."""
    invoice = upcoming_invoice(subscription, with_items=False)
    if not invoice["lines"]["data"]:
        raise _no_upcoming_invoice(f"subscription: {subscription['id']}")
    return invoice


def _one_off(call: Call, customer: Body) -> Body:
    """The invoice for the customer's pending items and those in the call."""
    currency = call.get("currency") or customer["currency"] or default_currency(options().account_country)
    _add_items(call, customer, currency=currency)
    waiting = invoice_items.pending_items(customer["id"], currency=currency)
    if not waiting:
        raise _no_upcoming_invoice(f"customer: {customer['id']}")
    lines = [invoices.item_line(item) for item in waiting]
    return invoices.build_invoice(customer, currency=currency, billing_reason="manual", lines=lines)


def _no_upcoming_invoice(of_whom: str) -> ApiError:
    return ApiError(f"No upcoming invoices for {of_whom}", status=404, code="invoice_upcoming_none")


def _add_items(call: Call, customer: Body, *, currency: str, subscription: str | None = None) -> list[Body]:
    return [
        invoice_items.create_item(
            customer,
            subscription=subscription,
            **item_facts(given, customer=customer, currency=currency, path=f"invoice_items[{index}]"),
        )
        for index, given in enumerate(call.get("invoice_items") or ())
    ]


def _with_items(invoice: Body, items: list[Body]) -> Body:
    invoice["lines"]["data"] = [*map(invoices.item_line, items[::-1]), *invoice["lines"]["data"]]
    return invoice


def _adjusted(invoice: Body, call: Call, customer: Body) -> Body:
    """The invoice with the call's discounts, taxes and address instead of the customer's."""
    details: Body = call.get("customer_details") or {}
    if "address" in details:
        invoice["customer_address"] = EMPTY_ADDRESS | details["address"] if details["address"] else None
    if details.get("tax_exempt"):
        invoice["customer_tax_exempt"] = details["tax_exempt"]
    if "automatic_tax" in call.params:
        invoice["automatic_tax"] = invoices.automatic_tax_of(is_enabled=call["automatic_tax"]["enabled"])
    if "discounts" in call.params:
        invoice["discounts"] = granted(call["discounts"], currency=invoice["currency"], customer=customer)
    return recalculate(invoice | {"amount_paid": 0})


def _as_preview(invoice: Body) -> Body:
    """The invoice as Stripe shows a preview: a draft with an id that cannot be retrieved."""
    preview_id = f"upcoming_{identifiers.new_id('in_1', 23)}"
    unreached: dict[str, Any] = dict.fromkeys(
        ("automatically_finalizes_at", "effective_at", "ending_balance", "hosted_invoice_url", "invoice_pdf", "number")
    )
    lines = [line | {"invoice": preview_id} for line in invoice["lines"]["data"]]
    moments = dict.fromkeys(invoice["status_transitions"])
    return (
        invoice
        | unreached
        | {
            "id": preview_id,
            "attempt_count": 0,
            "attempted": False,
            "created": clock.now(),
            "lines": invoice["lines"] | {"data": lines, "url": f"/v1/invoices/{preview_id}/lines"},
            "status": "draft",
            "status_transitions": moments,
        }
    )
