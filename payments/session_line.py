"""A line of an order as Stripe's page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from money import Money
from money.limits import limits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLine:
    """Stripe charges `unit_amount` × `quantity`."""

    title: str
    description: str
    unit_amount: Money
    quantity: int

    @classmethod
    def over(cls, total: Money, *, title: str, description: str, quantity: int) -> Self:
        """A line that charges exactly `total`, which a discount may have made indivisible by the quantity.

        Stripe takes no total, only a unit amount in whole steps of the currency: 4 lessons for 70.00 are sent as
        4 × 17.50, but 3 for 70.00 as one unit "3 × …" of 70.00.
        """
        unit_minor, rest = divmod(total.minor, quantity)
        if rest or unit_minor % limits_of(total.currency).step.minor:
            return cls(title=f"{quantity} × {title}", description=description, unit_amount=total, quantity=1)
        unit_amount = Money(unit_minor, total.currency)
        return cls(title=title, description=description, unit_amount=unit_amount, quantity=quantity)
