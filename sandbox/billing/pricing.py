"""The cost of a quantity of a price, in minor units (docs: "Pricing models", "Transform quantities")."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.store import Body


def amount_of(price: Body, quantity: int | None, *, currency: str | None = None) -> int:
    """The amount for a quantity, in minor units of the price's currency or of another in which it is sold."""
    option = option_in(price, currency or price["currency"])
    units = 1 if quantity is None else quantity
    if price["billing_scheme"] == "tiered":
        return rounded(_tiered(option["tiers"] or (), price["tiers_mode"], units))
    return rounded(Decimal(option["unit_amount_decimal"] or 0) * _billed_units(price, units))


def option_in(price: Body, currency: str) -> Body:
    """The amounts of a price in one currency: its own, or one of its currency options. Raises LookupError."""
    if currency == price["currency"]:
        return {name: price.get(name) for name in ("custom_unit_amount", "tax_behavior", "unit_amount")} | {
            "unit_amount_decimal": price["unit_amount_decimal"],
            "tiers": price.get("_tiers"),
        }
    found: Body = price.get("_currency_options", {})[currency]
    return found


def is_sold_in(price: Body, currency: str) -> bool:
    """Whether a price has an amount in this currency."""
    return currency == price["currency"] or currency in price.get("_currency_options", {})


def rounded(exact: Decimal) -> int:
    """The nearest minor unit, halves away from zero."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def _billed_units(price: Body, quantity: int) -> int:
    """The number of packages instead of pieces, where the price is per package."""
    package = price["transform_quantity"]
    if not package:
        return quantity
    whole, rest = divmod(quantity, package["divide_by"])
    return int(whole) + (1 if rest and package["round"] == "up" else 0)


def _tiered(tiers: Sequence[Body], mode: str, quantity: int) -> Decimal:
    if mode == "volume":
        reached = next(tier for tier in tiers if tier["up_to"] is None or quantity <= tier["up_to"])
        return _flat(reached) + _unit(reached) * quantity
    total, below = Decimal(0), 0
    for tier in tiers:
        if tier is not tiers[0] and quantity <= below:
            break
        within = quantity - below if tier["up_to"] is None else min(quantity, tier["up_to"]) - below
        total += _flat(tier) + _unit(tier) * within
        below = quantity if tier["up_to"] is None else tier["up_to"]
    return total


def _flat(tier: dict[str, Any]) -> Decimal:
    return Decimal(tier["flat_amount_decimal"] or 0)


def _unit(tier: dict[str, Any]) -> Decimal:
    return Decimal(tier["unit_amount_decimal"] or 0)
