"""Spread a dispute over the lines of its order, and take it back again. Pure, in minor units; free of Django.

A dispute names no line, so it takes of what is left of each in proportion. Fee, share and the tax that the platform owes
follow the running total of everything taken from a line, refunds included, so that any sequence takes exactly the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from money import Money
from money.shares import spread
from money.taking import NOTHING, Parts, keep, take


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStanding:
    """A line's parts, what refunds and all disputes have taken of them, and what this dispute has."""

    whole: Parts
    taken: Parts
    own: Parts = NOTHING

    @property
    def left(self) -> int:
        """What is left of the line."""
        return self.whole.amount - self.taken.amount


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
    parts = _spread(amount, [line.own.amount for line in lines], currency)
    return [_give(line, part) for line, part in zip(lines, parts, strict=True)]


def _spread(amount: int, over: Sequence[int], currency: str) -> list[int]:
    if not 0 <= amount <= sum(over):
        raise ValueError(f"{amount} of {sum(over)}")
    return [part.minor for part in spread(Money(amount, currency), over=[Money(each, currency) for each in over])]


def _take(line: LineStanding, part: int) -> LineStanding:
    if not part:
        return line
    more = take(part, of=line.whole, so_far=line.taken)
    return replace(line, taken=line.taken + more, own=line.own + more)


def _give(line: LineStanding, part: int) -> LineStanding:
    """Keep fee and tax in proportion: no part of what is kept exceeds what it was."""
    if not part:
        return line
    kept = keep(line.own.amount - part, of=line.own)
    return replace(line, taken=line.taken - line.own + kept, own=kept)
