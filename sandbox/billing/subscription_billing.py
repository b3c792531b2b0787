"""A subscription's invoices: the cost of its items for a period, and the draft that bills it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox import clock, store
from sandbox.billing import invoices
from sandbox.billing.discounts import coupon_of
from sandbox.billing.invoice_lines import product_name
from sandbox.billing.periods import Interval, Period, period_around
from sandbox.billing.pricing import amount_of, rounded
from sandbox.billing.subscription_shapes import items_of
from sandbox.store import Body
from sandbox.webhooks.events import emit


def period_of(item: Body) -> Period:
    """The current period of an item."""
    return Period(item["current_period_start"], item["current_period_end"])


def set_period(item: Body, period: Period) -> None:
    """Set an item's period; the caller stores its subscription."""
    item |= {"current_period_end": period.end, "current_period_start": period.start}


def interval_of(item: Body) -> Interval:
    return Interval.of_price(item["price"])


def cost_of(item: Body) -> int:
    """What an item costs for a whole period, in minor units."""
    return amount_of(item["price"], item["quantity"])


def line_for(subscription: Body, item: Body, **changes: Any) -> Body:
    """The line that bills an item for its current period."""
    options: Body = {
        "period": period_of(item),
        "discounts": item["discounts"],
        "metadata": subscription["metadata"],
    }
    return invoices.subscription_line(item, **options | changes)


def trial_line(subscription: Body, item: Body) -> Body:
    """The line of a free trial."""
    return line_for(subscription, item, amount=0, description=f"Trial period for {product_name(item['price'])}")


def first_line(subscription: Body, item: Body, *, is_prorated: bool) -> Body:
    """The first line of an item: less than its price if the anchor shortens the first period."""
    whole = period_around(subscription["billing_cycle_anchor"], interval_of(item), item["current_period_start"])
    if period_of(item) == whole:
        return line_for(subscription, item)
    amount = _cost_between(subscription, item, period_of(item)) if is_prorated else 0
    return line_for(subscription, item, amount=amount, proration=True)


def past_lines(subscription: Body) -> list[Body]:
    """Lines for the time by which a start is backdated; none if the first period reaches back as far."""
    lines = []
    for item in items_of(subscription):
        past = Period(subscription["start_date"], item["current_period_start"])
        if past.seconds > 0:
            amount = _cost_between(subscription, item, past)
            since, until = (f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}" for moment in (past.start, past.end))
            words = f"Time on {product_name(item['price'])} from {since} until {until}"
            changes: Body = {"amount": amount, "description": words, "period": past, "proration": True}
            lines.append(line_for(subscription, item, **changes))
    return lines


def _cost_between(subscription: Body, item: Body, period: Period) -> int:
    """The cost of an item for any span of time: whole periods of its cycle, and shares of partial ones."""
    exact, moment = Decimal(0), period.start
    while moment < period.end:
        whole = period_around(subscription["billing_cycle_anchor"], interval_of(item), moment)
        until = min(whole.end, period.end)
        exact += Decimal(cost_of(item)) * (until - moment) / whole.seconds
        moment = until
    return rounded(exact)


def draft_invoice(
    subscription: Body, lines: Sequence[Body], *, billing_reason: str, period: Period | None = None, auto_advance: bool
) -> Body:
    """A draft for a subscription, with its pending items; emits invoice.created.

    It becomes the subscription's latest invoice; the caller stores the subscription.
    """
    invoice = invoices.create_invoice(
        store.fetch("customer", subscription["customer"]),
        **_facts(subscription, lines, billing_reason, period),
        auto_advance=auto_advance,
        days_until_due=subscription["days_until_due"],
        includes_pending=True,
    )
    _share_with_connected(subscription, invoice)
    subscription["latest_invoice"] = invoice["id"]
    drop_used_discounts(subscription)
    return invoice


def _share_with_connected(subscription: Body, invoice: Body) -> None:
    """The share of an invoice for a connected account, and the platform's part (docs: "Subscriptions with Connect")."""
    transfer, percent = subscription["transfer_data"], subscription["application_fee_percent"]
    if transfer:
        invoice["_transfer_data"] = {"destination": transfer["destination"]}
        if transfer.get("amount_percent") is not None:
            invoice["_transfer_data"]["amount"] = _part(invoice, transfer["amount_percent"])
    if percent is not None:
        invoice["_application_fee_amount"] = _part(invoice, percent)
    if transfer or percent is not None:
        store.save(invoice)


def _part(invoice: Body, percent: float) -> int:
    return rounded(Decimal(invoice["amount_due"]) * Decimal(str(percent)) / 100)


def preview_invoice(subscription: Body, lines: Sequence[Body], *, period: Period) -> Body:
    """The next invoice, not stored."""
    customer = store.fetch("customer", subscription["customer"])
    return invoices.build_invoice(customer, **_facts(subscription, lines, "upcoming", period))


def _facts(subscription: Body, lines: Sequence[Body], billing_reason: str, period: Period | None) -> Body:
    return {
        "automatic_tax": subscription["automatic_tax"]["enabled"],
        "billing_reason": billing_reason,
        "collection_method": subscription["collection_method"],
        "currency": subscription["currency"],
        "default_tax_rates": subscription["default_tax_rates"],
        "description": subscription["invoice_settings"]["description"],
        "discounts": discounts_now(subscription),
        "lines": lines,
        "on_behalf_of": subscription["on_behalf_of"],
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": subscription["payment_settings"]["payment_method_types"],
        },
        "period_end": period.end if period else None,
        "period_start": period.start if period else None,
        "subscription": subscription,
        "test_clock": subscription["test_clock"],
    }


def discounts_now(subscription: Body) -> list[str]:
    """Ids of the discounts for an invoice made now: the subscription's, or else the customer's."""
    found = [store.fetch("discount", discount) for discount in subscription["discounts"]]
    valid: list[str] = [one["id"] for one in found if not one.get("deleted") and not _is_over(one)]
    if valid:
        return valid
    customer = store.find("customer", subscription["customer"]) or {}
    discount = customer.get("discount")
    return [discount["id"]] if isinstance(discount, dict) and not _is_over(discount) else []


def _is_over(discount: Body) -> bool:
    return discount["end"] is not None and discount["end"] <= clock.now()


def drop_used_discounts(subscription: Body) -> None:
    """Remove one-time and expired discounts from the subscription."""
    for discount_id in list(subscription["discounts"]):
        discount = store.fetch("discount", discount_id)
        if discount.get("deleted") or _is_over(discount) or coupon_of(discount)["duration"] == "once":
            remove_discount(subscription, discount)


def remove_discount(subscription: Body, discount: Body) -> None:
    """Take a discount off a subscription; emits customer.discount.deleted. The caller stores the subscription.

    The discount itself stays, because invoices made with it still name it.
    """
    subscription["discounts"] = [one for one in subscription["discounts"] if one != discount["id"]]
    emit("customer.discount.deleted", discount)
