"""The tax of orders that Stripe taxes, frozen when they are paid. Prices include it, so the total does not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from money import Money
from money.shares import tax_within
from payments.models import Order, OrderLine
from payments.stripe_objects import ComputedTax
from payments.tax.amounts import LineTax, divide
from payments.tax.rates import Taxation, rate_of

_FROZEN = (
    "tax_bps",
    "tax_minor",
    "platform_tax_minor",
    "platform_fee_minor",
    "teacher_share_minor",
    "platform_discount_minor",
    "platform_discount_share_minor",
)


def freeze_tax(order: Order, lines: Sequence[OrderLine], computed: Mapping[int, ComputedTax] | None) -> None:
    """Write the tax into order and lines, and divide each amount anew. Call while the order is settled, before it is booked.

    Without `computed`, for a payment without a page of Stripe's, the rates by setting apply.
    """
    today = datetime.now(UTC).date()
    for line in lines:
        if computed is None:
            bps = rate_of(line.domain, on=today)
            _freeze(line, ComputedTax(bps, tax_within(line.amount, bps).minor))
        else:
            _freeze(line, computed.get(line.pk, ComputedTax(0, 0)))
    order.tax_minor = sum(line.tax_minor for line in lines)
    order.save(update_fields=["tax_minor"])


def _freeze(line: OrderLine, found: ComputedTax) -> None:
    amount = line.amount
    tax = Money(min(found.minor, amount.minor), amount.currency)
    divided = divide(
        LineTax(amount=amount, tax=tax, added=Money.zero(amount.currency)),
        # Who owes it was frozen with the seller's name.
        taxation=Taxation(bps=found.bps, is_owed_by_platform=not line.tax_debtor_name),
        commission_bps=line.commission_bps,
        by_platform=Money(line.platform_discount_minor, amount.currency),
    )
    line.tax_bps, line.tax_minor = found.bps, tax.minor
    line.platform_tax_minor = divided.platform_tax.minor
    line.platform_fee_minor, line.teacher_share_minor = divided.fee.minor, divided.share.minor
    line.platform_discount_minor = divided.platform_discount.minor
    line.platform_discount_share_minor = divided.platform_discount_share.minor
    line.save(update_fields=_FROZEN)
