"""Invoice items for changes within a period: a credit for unused time, a charge for new use (docs: "Prorations")."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sandbox import store
from sandbox.billing import invoice_items
from sandbox.billing.credited_items import charged_by
from sandbox.billing.invoice_lines import product_name
from sandbox.billing.periods import Period
from sandbox.billing.prorations import Change
from sandbox.billing.subscription_billing import cost_of, period_of
from sandbox.store import Body


def bill_difference(subscription: Body, before: Body | None, after: Body | None, moment: int) -> None:
    """Create pending items: a credit for the unused time and a debit for the new use, for the next invoice."""
    item = after or before or {}
    period = period_of(before or item)
    difference = Change(None if before is None else cost_of(before), None if after is None else cost_of(item))
    if before is not None:
        _credit(subscription, before, difference.credit(period, moment) or 0, Period(moment, period.end))
    if after is not None:
        amount = difference.debit(period, moment) or 0
        _add_proration(subscription, after, amount, Period(moment, period.end), "Remaining time on")


def _credit(subscription: Body, item: Body, amount: int, period: Period) -> None:
    credited = charged_by(subscription, item, period.start)
    _add_proration(subscription, item, amount, period, "Unused time on", credited_items=credited)


def _add_proration(  # noqa: PLR0913 -- the facts of a proration
    subscription: Body, item: Body, amount: int, period: Period, words: str, *, credited_items: Body | None = None
) -> Body:
    many = f"{item['quantity']} × " if (item["quantity"] or 1) > 1 else ""
    date = datetime.fromtimestamp(period.start, UTC).strftime("%d %b %Y")
    return invoice_items.create_item(
        store.fetch("customer", subscription["customer"]),
        currency=subscription["currency"],
        amount=amount,
        price=item["price"],
        quantity=1 if item["quantity"] is None else item["quantity"],
        period=period,
        description=f"{words} {many}{product_name(item['price'])} after {date}",
        metadata=subscription["metadata"],
        proration=True,
        subscription=subscription["id"],
        subscription_item=item["id"],
        credited_items=credited_items,
        tax_rates=[rate["id"] for rate in item["tax_rates"]],
    )


def credit_unused_time(subscription: Body, items: Sequence[Body], moment: int) -> None:
    """Credit paid time that will not be used, on the next invoice."""
    for item in items:
        period = period_of(item)
        amount = Change(cost_of(item), None).credit(period, moment) or 0
        _credit(subscription, item, amount, Period(moment, period.end))
