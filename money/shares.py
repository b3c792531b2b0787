"""How one amount is divided between platform and teacher."""

from collections.abc import Sequence
from dataclasses import dataclass

from money.amounts import CurrencyMismatch, Money

WHOLE_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Split:
    """A fee and the share that is left; together always exactly the amount."""

    fee: Money
    share: Money


def split_by_rate(amount: Money, rate_bps: int) -> Split:
    """Platform fee = amount × rate in basis points, halves rounded up; the share is the rest.

    Raises ValueError for a negative amount or a rate outside 0 to 10,000 basis points.
    """
    if amount.minor < 0:
        raise ValueError("only amounts of zero or more are split")
    if not 0 <= rate_bps <= WHOLE_BASIS_POINTS:
        raise ValueError(f"rate of {rate_bps} basis points")
    fee = (2 * amount.minor * rate_bps + WHOLE_BASIS_POINTS) // (2 * WHOLE_BASIS_POINTS)
    return Split(fee=Money(fee, amount.currency), share=Money(amount.minor - fee, amount.currency))


def tax_within(amount: Money, rate_bps: int) -> Money:
    """The tax contained in a price that includes it, at a rate in basis points, halves rounded up."""
    if amount.minor < 0 or rate_bps < 0:
        raise ValueError("tax of a negative amount or rate")
    divisor = WHOLE_BASIS_POINTS + rate_bps
    return Money((2 * amount.minor * rate_bps + divisor) // (2 * divisor), amount.currency)


def spread(amount: Money, *, over: Sequence[Money]) -> list[Money]:
    """Divide an amount in proportion to others, by largest remainder: the parts add up to it exactly.

    What is left after rounding down goes, one minor unit each, to the largest remainders, the earlier of equal ones
    first. No part of an amount up to the sum of `over` exceeds its own. Raises CurrencyMismatch, and ValueError if any
    is negative or all are zero.
    """
    if any(each.currency != amount.currency for each in over):
        raise CurrencyMismatch(f"{amount} over other currencies")
    weights = [each.minor for each in over]
    whole = sum(weights)
    if amount.minor < 0 or any(weight < 0 for weight in weights) or (amount.minor and not whole):
        raise ValueError("only amounts of zero or more are spread, over something")
    divided = [divmod(amount.minor * weight, whole or 1) for weight in weights]
    left = amount.minor - sum(part for part, _ in divided)
    favoured = sorted(range(len(over)), key=lambda position: -divided[position][1])[:left]
    return [Money(part + (position in favoured), amount.currency) for position, (part, _) in enumerate(divided)]
