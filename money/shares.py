"""How one amount is divided between platform and teacher."""

from dataclasses import dataclass

from money.amounts import Money

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
