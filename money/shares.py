"""How an amount is divided: between platform and teacher, over lines, and between them again for a refund."""

from collections.abc import Sequence
from dataclasses import dataclass

from money.amounts import CurrencyMismatch, Money
from money.limits import limits_of

WHOLE_BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Split:
    """A fee and the share that remains; together they are always exactly the amount."""

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


def tax_on(price: Money, rate_bps: int) -> Money:
    """The tax to add to a price without it, at a rate in basis points.

    Halves are rounded up, to whole steps of the currency, since price and tax together must be an amount that can be charged.
    """
    if price.minor < 0 or rate_bps < 0:
        raise ValueError("tax on a negative amount or rate")
    divisor = WHOLE_BASIS_POINTS * limits_of(price.currency).step.minor
    steps = (2 * price.minor * rate_bps + divisor) // (2 * divisor)
    return limits_of(price.currency).step * steps


def spread(amount: Money, *, over: Sequence[Money]) -> list[Money]:
    """Divide an amount in proportion to others, by largest remainder: the parts add up to it exactly.

    What is left after rounding down goes, one step of the currency each, to the largest remainders, the earlier of equal
    ones first. The parts are whole steps if the amount and the others are; otherwise they are only whole minor units. No
    part of an amount up to the sum of `over` exceeds its own. Raises CurrencyMismatch, and ValueError if any is negative
    or all are zero.
    """
    if any(each.currency != amount.currency for each in over):
        raise CurrencyMismatch(f"{amount} over other currencies")
    weights = [each.minor for each in over]
    whole = sum(weights)
    if amount.minor < 0 or any(weight < 0 for weight in weights) or (amount.minor and not whole):
        raise ValueError("only amounts of zero or more are spread, over something")
    step = _step_of([amount, *over])
    return [Money(part * step, amount.currency) for part in divide(amount.minor // step, weights)]


def divide(whole: int, weights: Sequence[int]) -> list[int]:
    """Divide a whole number in proportion to weights, by largest remainder: the parts add up to it exactly.

    What is left after rounding down goes, one each, to the largest remainders, the earlier of equal ones first. Raises
    ValueError if any number is negative, or all weights are zero while there is something to divide.
    """
    total = sum(weights)
    if whole < 0 or any(weight < 0 for weight in weights) or (whole and not total):
        raise ValueError("only numbers of zero or more are divided, over something")
    divided = [divmod(whole * weight, total or 1) for weight in weights]
    left = whole - sum(part for part, _ in divided)
    favoured = sorted(range(len(weights)), key=lambda position: -divided[position][1])[:left]
    return [part + (position in favoured) for position, (part, _) in enumerate(divided)]


def _step_of(amounts: Sequence[Money]) -> int:
    """The step in which amounts can be divided, so that Stripe can refund what is left of each part."""
    step = limits_of(amounts[0].currency).step.minor
    return 1 if any(each.minor % step for each in amounts) else step


def amount_of_units(whole: Money, *, of: int, before: int, count: int) -> Money:
    """What `count` units make up of a whole of `of` units, after `before` others.

    By the running total, in steps of the currency: all units together make exactly the whole, rounded down to a step,
    in whatever portions they are taken. Raises ValueError for units that the whole does not have.
    """
    if whole.minor < 0 or before < 0 or count < 0 or not before + count <= of:
        raise ValueError(f"{count} units after {before} of {of} for {whole}")
    step = limits_of(whole.currency).step.minor
    steps = whole.minor // step
    return Money((steps * (before + count) // of - steps * before // of) * step, whole.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """An amount and one part of it (fee, tax), each in minor units: what was paid, or what was already refunded."""

    amount: int
    part: int


def part_to_give_back(refund: int, *, of: GivenBack, so_far: GivenBack) -> int:
    """How much of the part `of.part` goes back with a refund from the amount `of.amount`. All in minor units.

    It follows the running total: afterwards half up(part × refunded ÷ amount) was given back in all, so any sequence of
    refunds adds up to exactly the whole. After a failed refund, what is left may no longer fit that formula; then the
    result is the nearest figure at which neither the part nor the rest is overdrawn or negative. Raises ValueError for
    a refund that is not positive or exceeds what is left.
    """
    left = of.amount - so_far.amount
    if not 0 < refund <= left:
        raise ValueError(f"refund of {refund} where {left} is left")
    part_left = of.part - so_far.part
    rest_left = left - part_left
    in_all = (2 * of.part * (so_far.amount + refund) + of.amount) // (2 * of.amount)
    return max(0, refund - rest_left, min(in_all - so_far.part, refund, part_left))
