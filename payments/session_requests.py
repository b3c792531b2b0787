"""The request that opens a payment's page at Stripe: built once, stored with the payment, and sent unchanged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from payments.metadata import SEVERAL_DOMAINS
from payments.models import Order, OrderLine
from payments.models.order import lines_in_lock_order
from payments.return_addresses import ReturnAddresses
from payments.session_line import SessionLine
from payments.tax.totals import TaxTotal


def build_session_request(
    order: Order, *, reference: uuid.UUID, expires_at: datetime, returns: ReturnAddresses
) -> dict[str, Any]:
    """All parameters of the Checkout Session that pays this order, as plain JSON. Amounts in minor units.

    Only the buyer is missing, whom `sessions` names before the request is first sent: that may need a call to Stripe.
    """
    lines = lines_in_lock_order(order)
    metadata = order_metadata(order, lines, reference)
    added = [_tax_line(total) for total in order.taxes if total.is_added]
    items = [_line_item(line) for line in (*(line.as_session_line() for line in lines), *added)]
    by_stripe: dict[str, Any] = {}
    if order.is_taxed_by_stripe:
        items = [_taxed_by_stripe(item, line) for item, line in zip(items, lines, strict=True)]
        # The address that the student gives on the page decides the tax; Stripe requires that it is kept.
        by_stripe = {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    return {
        "mode": "payment",
        "line_items": items,
        **by_stripe,
        "client_reference_id": str(reference),
        # Stripe's page asks whether to save the card, and offers those that were saved so.
        "saved_payment_method_options": {"payment_method_save": "enabled"},
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata, "description": f"Order {order.number}"},
        "success_url": returns.success,
        "cancel_url": returns.cancel,
        "expires_at": int(expires_at.timestamp()),
    }


def order_metadata(order: Order, lines: Sequence[OrderLine], reference: uuid.UUID) -> dict[str, str]:
    """For people who read it at Stripe, and to find the order again; the ids stored with the payment decide."""
    domains = sorted({line.domain for line in lines})
    return {
        "order": order.number,
        "payment": str(reference),
        "buyer": str(order.user_id),
        "domain": domains[0] if len(domains) == 1 else SEVERAL_DOMAINS,
        "domains": ",".join(domains),
    }


def _tax_line(total: TaxTotal) -> SessionLine:
    """A tax that is added to the prices, as a line of its own, so that Stripe's total is ours to the minor unit."""
    return SessionLine(title=total.name, description="", unit_amount=total.added, quantity=1)


def _taxed_by_stripe(item: dict[str, Any], line: OrderLine) -> dict[str, Any]:
    """A line whose price includes the tax that Stripe computes, with our line to find it again."""
    price = item["price_data"] | {"tax_behavior": "inclusive"}
    return {**item, "price_data": price, "metadata": {"line": str(line.pk)}}


def _line_item(line: SessionLine) -> dict[str, Any]:
    product = {"name": line.title}
    if line.description:
        product["description"] = line.description
    return {
        "quantity": line.quantity,
        "price_data": {
            "currency": line.unit_amount.currency.lower(),
            "unit_amount": line.unit_amount.minor,
            "product_data": product,
        },
    }
