"""Spread a dispute over the lines of its order, and take it back again. Pure, in minor units; free of Django.

A dispute names no line, so it takes of what is left of each in proportion. Fee and share of a line follow the running
total of everything taken from it, refunds included, so that any sequence takes exactly the whole of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from money import Money
from money.shares import GivenBack, part_to_give_back, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStanding:
    """A line's amount and fee, what refunds and all disputes have taken of both, and what this dispute has."""

    amount: int
    fee: int
    taken: int
    taken_fee: int
    own: int = 0
    own_fee: int = 0

    @property
    def left(self) -> int:
        """What is left of the line."""
        return self.amount - self.taken

    @property
    def own_share(self) -> int:
        """The teacher's part of what this dispute has."""
        return self.own - self.own_fee


def take_more(lines: Sequence[LineStanding], amount: int, *, currency: str) -> list[LineStanding]:
    """Take an amount from what is left of the lines, in proportion, by largest remainder.

    Raises ValueError if less is left.
    """
    parts = _spread(amount, [line.left for line in lines], currency)
    return [_take(line, part) for line, part in zip(lines, parts, strict=True)]


def give_back(lines: Sequence[LineStanding], amount: int, *, currency: str) -> list[LineStanding]:
    """Give back an amount of what this dispute has taken of the lines, in proportion, by largest remainder.

    Raises ValueError if it has taken less.
    """
    parts = _spread(amount, [line.own for line in lines], currency)
    return [_give(line, part) for line, part in zip(lines, parts, strict=True)]


def _spread(amount: int, over: Sequence[int], currency: str) -> list[int]:
    if not 0 <= amount <= sum(over):
        raise ValueError(f"{amount} of {sum(over)}")
    return [part.minor for part in spread(Money(amount, currency), over=[Money(each, currency) for each in over])]


def _take(line: LineStanding, part: int) -> LineStanding:
    if not part:
        return line
    fee = part_to_give_back(
        part,
        of=GivenBack(amount=line.amount, part=line.fee),
        so_far=GivenBack(amount=line.taken, part=line.taken_fee),
    )
    return replace(
        line,
        taken=line.taken + part,
        taken_fee=line.taken_fee + fee,
        own=line.own + part,
        own_fee=line.own_fee + fee,
    )


def _give(line: LineStanding, part: int) -> LineStanding:
    """Keep the fee in proportion, halves up: neither fee nor share of what is kept exceeds what it was."""
    if not part:
        return line
    kept = line.own - part
    kept_fee = (2 * line.own_fee * kept + line.own) // (2 * line.own)
    return replace(
        line,
        taken=line.taken - part,
        taken_fee=line.taken_fee - line.own_fee + kept_fee,
        own=kept,
        own_fee=kept_fee,
    )
