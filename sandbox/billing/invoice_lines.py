"""Lines of an invoice: what is billed, and for which period (docs: "The Invoice Line Item object").

A line is stored inside its invoice. The sandbox's notes on a line: `_tax_rates`, ids of rates for it alone, and
`_tax_behavior`, whether its price already contains automatic tax.
"""

from collections.abc import Sequence
from typing import Any

from sandbox import identifiers, store
from sandbox.billing.periods import Period
from sandbox.billing.pricing import amount_of
from sandbox.protocol.money import written
from sandbox.store import Body


def subscription_line(  # noqa: PLR0913 -- the facts of one line
    item: Body,
    *,
    period: Period,
    quantity: int | None = None,
    proration: bool = False,
    amount: int | None = None,
    currency: str | None = None,
    description: str | None = None,
    discounts: Sequence[str] = (),
    tax_rates: Sequence[str] | None = None,
    metadata: Body | None = None,
    proration_details: Body | None = None,
) -> Body:
    """A line for a subscription item; `amount` in minor units where it is not price times quantity.

    `discounts` are ids of discounts of this line alone; `tax_rates` ids of rates instead of the item's own.
    """
    price = item["price"]
    quantity = quantity if quantity is not None else item.get("quantity")
    units = 1 if quantity is None else quantity
    rates = [rate["id"] for rate in item.get("tax_rates") or ()] if tax_rates is None else tax_rates
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": proration,
            "proration_details": proration_details or {"credited_items": None},
            "subscription": item.get("subscription"),
            "subscription_item": item["id"],
        },
        "type": "subscription_item_details",
    }
    line = new_line(
        amount=amount_of(price, quantity, currency=currency) if amount is None else amount,
        currency=currency or price["currency"],
        description=description or described(price, units),
        period=period,
        parent=parent,
        price=price,
        quantity=units,
        discountable=not proration,
        discounts=discounts,
        metadata=metadata,
        tax_rates=rates,
    )
    return _without_unit_amount(line) if proration else line


def _without_unit_amount(line: Body) -> Body:
    """The pricing of a partial period, which has no unit amount (observed at Stripe)."""
    return line | {"pricing": line["pricing"] and line["pricing"] | {"unit_amount_decimal": None}}


def item_line(item: Body) -> Body:
    """A line for an invoice item; a proration is a line of the subscription's item that it adjusts."""
    details = item["pricing"] and item["pricing"]["price_details"]
    line = new_line(
        amount=item["amount"],
        currency=item["currency"],
        description=item["description"],
        period=Period(**item["period"]),
        parent=_parent_of(item),
        price=store.fetch("price", details["price"]) if details else None,
        quantity=item["quantity"],
        discountable=item["discountable"],
        discounts=item["discounts"],
        metadata=item["metadata"],
        tax_rates=[rate["id"] for rate in item["tax_rates"]],
    )
    line |= {"pricing": item["pricing"], "_tax_behavior": item.get("_tax_behavior") or line["_tax_behavior"]}
    return _without_unit_amount(line) if item["proration"] else line


def _parent_of(item: Body) -> Body:
    named = (item["parent"] or {}).get("subscription_details") or {}
    details: Body = {
        "invoice_item": item["id"],
        "proration": item["proration"],
        "proration_details": {"credited_items": None},
        "subscription": named.get("subscription"),
    }
    kind = "invoice_item_details"
    if item["proration"] and named.get("subscription_item"):
        kind, details = "subscription_item_details", details | {"subscription_item": named["subscription_item"]}
    return {"invoice_item_details": None, "subscription_item_details": None, kind: details, "type": kind}


def new_line(  # noqa: PLR0913 -- the facts of one line
    *,
    amount: int,
    currency: str,
    description: str | None,
    period: Period,
    parent: Body,
    price: Body | None,
    quantity: int,
    discountable: bool = True,
    discounts: Sequence[str] = (),
    metadata: Body | None = None,
    tax_rates: Sequence[str] = (),
) -> Body:
    """A line that belongs to no invoice yet; its invoice calculates the totals."""
    return {
        "id": identifiers.new_id("il_1", 23),
        "object": "line_item",
        "amount": amount,
        "currency": currency,
        "description": description,
        "discount_amounts": [],
        "discountable": discountable,
        "discounts": list(discounts),
        "invoice": None,
        "livemode": False,
        "metadata": dict(metadata or {}),
        "parent": parent,
        "period": {"end": period.end, "start": period.start},
        "pretax_credit_amounts": [],
        "pricing": pricing_of(price) if price else None,
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
        "_tax_behavior": price["tax_behavior"] if price else None,
        "_tax_rates": list(tax_rates),
    }


def pricing_of(price: Body) -> Body:
    """How a line or an invoice item names its price."""
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def described(price: Body, quantity: int) -> str:
    """The description of a line for a recurring price: quantity, product, price and interval."""
    name = product_name(price)
    if price["unit_amount"] is None:
        return f"{quantity} × {name}"
    each = written(price["unit_amount"], price["currency"])
    return f"{quantity} × {name} (at {each}{_every(price['recurring'])})"


def _every(recurring: Body | None) -> str:
    if recurring is None:
        return ""
    count = recurring["interval_count"]
    return f" / {recurring['interval']}" if count == 1 else f" / every {count} {recurring['interval']}s"


def product_name(price: Body) -> str:
    """The name of a price's product, even if that was deleted."""
    product: dict[str, Any] = store.fetch("product", price["product"])
    return str(product.get("name") or product["id"])
