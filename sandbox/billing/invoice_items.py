"""Invoice items: charges and credits that wait for the customer's next invoice (docs: "Invoice items")."""

from collections.abc import Sequence
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.billing import clocks
from sandbox.billing.invoice_lines import pricing_of
from sandbox.billing.periods import Period
from sandbox.billing.pricing import amount_of
from sandbox.store import Body
from sandbox.webhooks.events import emit


def create_item(customer: Body, **facts: Any) -> Body:
    """A stored item from the arguments of `build_item`; emits invoiceitem.created."""
    item = store.insert(build_item(customer, **facts))
    with clocks.time_of(item):
        emit("invoiceitem.created", item)
    return item


def build_item(  # noqa: PLR0913 -- the facts of one item
    customer: Body,
    *,
    currency: str,
    amount: int | None = None,
    price: Body | None = None,
    quantity: int = 1,
    invoice: str | None = None,
    period: Period | None = None,
    description: str | None = None,
    discountable: bool | None = None,
    discounts: Sequence[str] = (),
    metadata: Body | None = None,
    proration: bool = False,
    subscription: str | None = None,
    subscription_item: str | None = None,
    credited_items: Body | None = None,
    tax_rates: Sequence[str] = (),
    **notes: Any,
) -> Body:
    """An item, not stored; `amount` in minor units, or price times quantity. Pending unless it names its draft."""
    with clocks.time_of({"customer": customer["id"]}):
        now = clock.now()
    due = amount_of(price, quantity, currency=currency) if amount is None and price else amount or 0
    item: Body = {
        "id": identifiers.new_id("ii_1", 23),
        "object": "invoiceitem",
        "amount": due,
        "currency": currency,
        "customer": customer["id"],
        "customer_account": None,
        "date": now,
        "description": description,
        "discountable": due >= 0 and not proration if discountable is None else discountable,
        "discounts": list(discounts),
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "net_amount": due,
        "parent": _parent(subscription, subscription_item),
        "period": {"end": period.end, "start": period.start} if period else {"end": now, "start": now},
        "pricing": pricing_of(price) if price else None,
        "proration": proration,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "tax_rates": [store.fetch("tax_rate", rate) for rate in tax_rates],
        "test_clock": customer.get("test_clock"),
        **notes,
    }
    if proration:
        item["proration_details"] = {"credited_items": credited_items, "discount_amounts": []}
    return item


def _parent(subscription: str | None, subscription_item: str | None) -> Body | None:
    if subscription is None:
        return None
    details = {"subscription": subscription, "subscription_item": subscription_item}
    return {"subscription_details": details, "type": "subscription_details"}


def pending_items(customer_id: str, *, currency: str, subscription: str | None = None) -> list[Body]:
    """The pending items in a currency, newest first: those of no subscription, and those of this one."""
    rows = store.rows("invoiceitem").filter(customer=customer_id, source=None).order_by("-sequence")
    return [
        item
        for item in rows.values_list("body", flat=True)
        if item["currency"] == currency and _subscription_of(item) in (None, subscription)
    ]


def _subscription_of(item: Body) -> str | None:
    found: str | None = item["parent"]["subscription_details"]["subscription"] if item["parent"] else None
    return found


def assign_items(items: Sequence[Body], invoice_id: str) -> None:
    """Let items belong to an invoice."""
    for item in items:
        store.save(item | {"invoice": invoice_id})


def bury_items(invoice: Body) -> None:
    """Delete the items of a deleted draft; none becomes pending again (observed at Stripe)."""
    for item in list(store.rows("invoiceitem").filter(source=invoice["id"]).values_list("body", flat=True)):
        store.mark_deleted(item)


def delete_item(item: Body) -> Body:
    """Remove an item. Returns the stub."""
    stub = store.mark_deleted(item)
    emit("invoiceitem.deleted", item)
    return stub
