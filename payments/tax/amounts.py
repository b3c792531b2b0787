"""The tax of a line, and how its amount is divided. Pure: the same figures for a cart, an order and Stripe's answer.

The discount comes off first. Net price and tax always add up to what is paid. The commission is a share of what is left
for teacher and platform: the price without a tax that was added to it, or that the platform owes.
"""

from __future__ import annotations

from dataclasses import dataclass

from money import Money, split_by_rate
from money.shares import tax_on, tax_within
from payments.tax.rates import Taxation


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTax:
    """What is paid for a line, the tax in it, and the part of that tax which was added to the price."""

    amount: Money
    tax: Money
    added: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Fee, share and the tax that the platform owes add up to the amount.

    `platform_discount` is what the platform pays into the line where it bears a discount, and its share the teacher's
    part of that.
    """

    fee: Money
    share: Money
    platform_tax: Money
    platform_discount: Money
    platform_discount_share: Money


def tax_of(price: Money, taxation: Taxation) -> LineTax:
    """The tax of a line with this price, after discounts."""
    if taxation.is_added:
        tax = tax_on(price, taxation.bps)
        return LineTax(amount=price + tax, tax=tax, added=tax)
    return LineTax(amount=price, tax=tax_within(price, taxation.bps), added=Money.zero(price.currency))


def divide(line: LineTax, *, taxation: Taxation, commission_bps: int, by_platform: Money) -> Division:
    """Divide what is paid for a line. `by_platform` is the part of its discount that the platform bears."""
    platform_tax = line.tax if taxation.is_owed_by_platform else Money.zero(line.amount.currency)
    if taxation.is_owed_by_platform and not taxation.is_added:
        by_platform = _without_tax(by_platform, line.amount, taxation.bps)
    shared = line.amount - max(line.added, platform_tax)
    split = split_by_rate(shared, commission_bps)
    # What the platform pays is shared so that the teacher gets what they would get without its discount.
    platform_share = split_by_rate(shared + by_platform, commission_bps).share - split.share
    return Division(
        fee=split.fee,
        # With tax that was added to the price and that the teacher owes.
        share=line.amount - platform_tax - split.fee,
        platform_tax=platform_tax,
        platform_discount=by_platform,
        platform_discount_share=platform_share,
    )


def _without_tax(discount: Money, amount: Money, bps: int) -> Money:
    """What a discount from a price with tax is without the tax that the platform would have owed on it."""
    return discount - (tax_within(amount + discount, bps) - tax_within(amount, bps))
