"""Plan a refund: the amount for each line, how much of it platform and teacher give back, and how many places.

Only computes, so that staff see before they press the button the same figures that are booked afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from money import Money
from money.shares import GivenBack, amount_of_units, part_to_give_back, spread
from money.taking import take

if TYPE_CHECKING:
    # Only its figures are read, so tests plan refunds of lines that are not in a database.
    from payments.models import OrderLine


class RefundRefused(Exception):
    """A refund that is not possible. The message is for staff."""


class RefundExceedsRemaining(RefundRefused):
    """The refund is more than what remains of the line or the payment."""

    def __init__(self, *, wanted: object, remaining: object) -> None:
        super().__init__(f"{wanted} is more than the {remaining} that remains.")


class AmountDisputed(RefundRefused):
    """The amount is disputed: the cardholder's bank has taken it, or is about to."""

    def __init__(self, *, disputed: Money, remaining: Money) -> None:
        left = f"only {remaining} of it can" if remaining.minor else "nothing of it can"
        super().__init__(f"The cardholder disputes {disputed} of this payment with their bank: {left} be refunded.")


class InvalidRefundPart(RefundRefused):
    """An invalid part: zero or less, another currency, a line of another order, a line named twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinePart:
    """The part of a refund for one line: an amount, places at the price paid for them, or, without both, what is left.

    With both, that many places are returned for that amount, as a cancellation policy may grant. If `keeps_places`, the
    amount is the same but no place is returned: the student keeps what they bought.
    """

    line_id: int
    amount: Money | None = None
    quantity: int | None = None
    keeps_places: bool = False


@dataclass(frozen=True, slots=True)
class WholeOrder:
    """All that is left of every line."""


@dataclass(frozen=True, slots=True)
class OfLines:
    """Parts of some lines."""

    parts: Sequence[LinePart]


@dataclass(frozen=True, slots=True)
class OverAllLines:
    """An amount spread over what is left of each line, by largest remainder. No places are returned with it."""

    amount: Money


Wanted = WholeOrder | OfLines | OverAllLines


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart:
    """What a refund takes from one line. Fee, share and the tax that the platform owes always add up to the amount.

    It contains the tax, owed by the platform or by the teacher.
    """

    line: OrderLine
    amount: Money
    fee: Money
    share: Money
    tax: Money
    quantity: int

    @property
    def platform_tax(self) -> Money:
        """The tax that the platform need not pay any more."""
        return self.amount - self.fee - self.share


def plan_refund(lines: Sequence[OrderLine], wanted: Wanted) -> list[PlannedPart]:
    """Plan what the refund takes from each line, in the order of the lines.

    Raises RefundExceedsRemaining or InvalidRefundPart. A plan may only be carried out if its lines were read under the
    order's lock.
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
    """The amount that the student gets."""
    total = Money.zero(parts[0].amount.currency)
    for part in parts:
        total += part.amount
    return total


def remaining_of(lines: Sequence[OrderLine]) -> Money:
    """What is left to refund of all lines of an order together."""
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
        raise InvalidRefundPart("A refund needs at least one place, or an amount.")
    if quantity > places_left:
        raise RefundExceedsRemaining(wanted=f"{quantity} of {line.title}", remaining=places_left)
    amount = part.amount
    if amount is None:
        amount = line.refundable if part.quantity is None else _price_of_places(line, quantity)
    _refuse_impossible(amount, line.refundable)
    returned = 0 if part.keeps_places else quantity
    taken = take(amount.minor, of=line.parts, so_far=line.refunded_parts + line.disputed_parts)
    return PlannedPart(
        line=line,
        amount=amount,
        fee=Money(taken.fee, amount.currency),
        share=Money(taken.share, amount.currency),
        tax=Money(taken.tax, amount.currency) if line.platform_tax_minor else _tax_within_part(line, amount),
        quantity=returned,
    )


def _refuse_impossible(amount: Money, left: Money) -> None:
    if amount.currency != left.currency:
        raise InvalidRefundPart(f"The payment was in {left.currency}, and so is its refund.")
    if left < amount or left.minor == 0:
        raise RefundExceedsRemaining(wanted=amount, remaining=left)
    if amount.minor <= 0:
        raise InvalidRefundPart("The amount of a refund must be more than zero.")


def _price_of_places(line: OrderLine, quantity: int) -> Money:
    """The price of the next places; at most what is left, since an amount may have been refunded without a place."""
    price = amount_of_units(line.amount, of=line.quantity, before=line.refunded_quantity, count=quantity)
    return min(price, line.refundable)


def _tax_within_part(line: OrderLine, amount: Money) -> Money:
    """The teacher's tax within, by the running total of the refunds. A dispute changes no receipt, so it takes none."""
    part = part_to_give_back(
        amount.minor,
        of=GivenBack(amount=line.amount_minor, part=line.tax_minor),
        so_far=GivenBack(amount=line.refunded_minor, part=line.refunded_tax_minor),
    )
    return Money(part, amount.currency)
