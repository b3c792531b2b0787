"""Ending a subscription early, and removing its discounts (docs: "Cancel subscriptions")."""

from sandbox import clock, store
from sandbox.billing import clocks, invoice_items, invoices
from sandbox.billing.proration_items import credit_unused_time
from sandbox.billing.subscription_billing import remove_discount
from sandbox.billing.subscription_changes import Collection, invoice_now
from sandbox.billing.subscription_shapes import NO_CANCELLATION, items_of
from sandbox.billing.subscriptions import emitting_change, end, invoices_of
from sandbox.store import Body


def cancel(
    subscription: Body, *, details: Body | None = None, invoices_now: bool = False, prorates: bool = False
) -> Body:
    """End a subscription at once; `prorates` credits unused time, `invoices_now` first bills pending items."""
    with clocks.time_of(subscription):
        was_incomplete = subscription["status"] == "incomplete"
        if prorates and subscription["status"] in ("active", "past_due"):
            credit_unused_time(subscription, items_of(subscription), clock.now())
        if invoices_now and _waits(subscription):
            with emitting_change(subscription):
                invoice_now(subscription, [], Collection())
        known = subscription["cancellation_details"] or NO_CANCELLATION
        subscription["cancellation_details"] = known | (details or {})
        end(subscription, reason="cancellation_requested")
        if was_incomplete:
            for invoice in invoices_of(subscription, "open"):
                invoices.void_invoice(invoice)
    return subscription


def _waits(subscription: Body) -> bool:
    return bool(
        invoice_items.pending_items(
            subscription["customer"], currency=subscription["currency"], subscription=subscription["id"]
        )
    )


def remove_discounts(subscription: Body) -> Body:
    """Remove every discount from a subscription. Returns the first one, as deleted."""
    removed = [store.fetch("discount", discount) for discount in subscription["discounts"]]
    with clocks.time_of(subscription), emitting_change(subscription):
        for discount in removed:
            remove_discount(subscription, discount)
    return store.visible(removed[0]) | {"deleted": True}
