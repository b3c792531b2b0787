"""What a refund would take from each line: how much, what of it platform and teacher give back, and how many places.

Computes only, so that staff see the same figures before they press the button as are booked afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from money import Money
from money.limits import limits_of
from money.shares import GivenBack, part_to_give_back, spread
from payments.models import OrderLine


class RefundRefused(Exception):
    """A refund that is not possible. The message is for staff."""


class RefundExceedsRemaining(RefundRefused):
    """More was asked for than is left of the line or the payment."""

    def __init__(self, *, wanted: object, remaining: object) -> None:
        super().__init__(f"{wanted} is more than the {remaining} that remains.")


class InvalidRefundPart(RefundRefused):
    """A part that makes no sense: nothing or less, another currency, a line of another order, a line named twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePart:
    """What is wanted back of one line: an amount, places at what was paid for them, or, with neither, all that is left.

    With both, that many places go back for that amount: what a cancellation policy gives.
    """

    line_id: int
    amount: Money | None = None
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """All that is left of every line."""


@dataclass(frozen=True, slots=True)
class OfLines:
    """Parts of some lines."""

    parts: Sequence[LinePart]


@dataclass(frozen=True, slots=True)
class OverAllLines:
    """An amount spread over what is left of each line, by largest remainder. No places go back with it."""

    amount: Money


Wanted = WholeOrder | OfLines | OverAllLines


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """What a refund would take from one line. Fee and share are always exactly the amount; tax is within it."""

    line: OrderLine
    amount: Money
    fee: Money
    share: Money
    tax: Money
    quantity: int


def plan_refund(lines: Sequence[OrderLine], wanted: Wanted) -> list[PlannedPart]:
    """What the refund would take from each line, in the order of the lines.

    Raises RefundExceedsRemaining or InvalidRefundPart. The lines must have been read under the order's lock if the plan
    is to be carried out.
    """
    match wanted:
        case WholeOrder():
            parts: Sequence[LinePart] = [LinePart(line_id=line.pk) for line in lines if line.refundable.minor]
            if not parts:
                raise RefundExceedsRemaining(wanted="A refund", remaining="nothing")
        case OfLines(parts=named):
            parts = _checked(lines, named)
        case OverAllLines(amount=amount):
            parts = _spread(lines, amount)
    wish_of = {part.line_id: part for part in parts}
    return [_plan_part(line, wish_of[line.pk]) for line in lines if line.pk in wish_of]


def total_of(parts: Sequence[PlannedPart]) -> Money:
    """What the student gets."""
    total = Money.zero(parts[0].amount.currency)
    for part in parts:
        total += part.amount
    return total


def remaining_of(lines: Sequence[OrderLine]) -> Money:
    """What is left of all lines of an order together."""
    left = Money.zero(lines[0].amount.currency)
    for line in lines:
        left += line.refundable
    return left


def _checked(lines: Sequence[OrderLine], parts: Sequence[LinePart]) -> Sequence[LinePart]:
    named = [part.line_id for part in parts]
    if not named or len(set(named)) < len(named) or not set(named) <= {line.pk for line in lines}:
        raise InvalidRefundPart("Name lines of this order, each once.")
    return parts


def _spread(lines: Sequence[OrderLine], amount: Money) -> list[LinePart]:
    left = remaining_of(lines)
    _refuse_impossible(amount, left)
    amounts = spread(amount, over=[line.refundable for line in lines])
    return [
        LinePart(line_id=line.pk, amount=part, quantity=0)
        for line, part in zip(lines, amounts, strict=True)
        if part.minor
    ]


def _plan_part(line: OrderLine, part: LinePart) -> PlannedPart:
    places_left = line.quantity - line.refunded_quantity
    quantity = part.quantity
    if quantity is None:
        quantity = places_left if part.amount is None else 0
    if quantity < 0 or (part.quantity == 0 and part.amount is None):
        raise InvalidRefundPart("At least one place, or an amount.")
    if quantity > places_left:
        raise RefundExceedsRemaining(wanted=f"{quantity} of {line.title}", remaining=places_left)
    amount = part.amount
    if amount is None:
        amount = line.refundable if part.quantity is None else _price_of_places(line, quantity)
    _refuse_impossible(amount, line.refundable)
    fee = _share_of_part(line, amount, whole=line.platform_fee_minor, so_far=line.refunded_fee_minor)
    tax = _share_of_part(line, amount, whole=line.tax_minor, so_far=line.refunded_tax_minor)
    return PlannedPart(line=line, amount=amount, fee=fee, share=amount - fee, tax=tax, quantity=quantity)


def _refuse_impossible(amount: Money, left: Money) -> None:
    if amount.currency != left.currency:
        raise InvalidRefundPart(f"The payment was in {left.currency}, and so is its refund.")
    if left < amount or left.minor == 0:
        raise RefundExceedsRemaining(wanted=amount, remaining=left)
    if amount.minor <= 0:
        raise InvalidRefundPart("A refund gives something back.")


def _price_of_places(line: OrderLine, quantity: int) -> Money:
    """What the next places cost, by the running total, so that all of them together cost exactly the line.

    In the steps of the currency, as Stripe gives back KWD in hundredths only. At most what is left: an amount given back
    before without a place was given back all the same.
    """
    step = limits_of(line.amount.currency).step.minor
    before, after = line.refunded_quantity, line.refunded_quantity + quantity
    steps = line.amount_minor // step
    price = (steps * after // line.quantity - steps * before // line.quantity) * step
    return min(Money(price, line.amount.currency), line.refundable)


def _share_of_part(line: OrderLine, amount: Money, *, whole: int, so_far: int) -> Money:
    part = part_to_give_back(
        amount.minor,
        of=GivenBack(amount=line.amount_minor, part=whole),
        so_far=GivenBack(amount=line.refunded_minor, part=so_far),
    )
    return Money(part, amount.currency)
