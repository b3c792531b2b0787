"""What codes take off the lines of a cart. Pure and free of Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from money import Money
from money.limits import limits_of
from money.shares import WHOLE_BASIS_POINTS, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountableLine:
    """A line at its list price; what it is and who teaches it decide whether a code applies to it."""

    domain: str
    reference: str
    teacher_id: int | None
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which lines a code applies to. An empty field restricts nothing, so an empty scope is everything."""

    domain: str = ""
    reference: str = ""
    teacher_id: int | None = None
    # The teacher who bears the discount: they only give away what is theirs.
    bearer_id: int | None = None

    def includes(self, line: DiscountableLine) -> bool:
        """Whether the code applies to this line."""
        return (
            self.domain in ("", line.domain)
            and self.reference in ("", line.reference)
            and self.teacher_id in (None, line.teacher_id)
            and self.bearer_id in (None, line.teacher_id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyTerms:
    """A code's terms in one currency. `off` is None for a percentage."""

    off: Money | None
    least_spend: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a code promises. A percentage in basis points, or an amount per currency.

    A code with terms by currency is valid in these currencies only; a percentage without any in all.
    """

    scope: Scope
    percent_bps: int | None
    by_currency: Mapping[str, CurrencyTerms]
    is_stackable: bool
    is_borne_by_platform: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What a code takes off each line, or why it takes nothing. The reason is shown to the student."""

    parts: Sequence[int]
    reason: str = ""

    @property
    def minor(self) -> int:
        """What it takes off in all, in minor units."""
        return sum(self.parts)


def effects_of(codes: Sequence[Terms], lines: Sequence[DiscountableLine], currency: str) -> list[Effect]:
    """The effect of each code on the lines, in the order of the codes.

    Percentages come before amounts, and each code takes its part of what those before it have left. The least spend
    counts list prices of the lines that the code applies to. A code that cannot be combined takes nothing beside an
    earlier one, and later ones nothing beside it.
    """
    nothing = [0] * len(lines)
    effects = [Effect(nothing, _refusal(code, codes[:place], lines, currency)) for place, code in enumerate(codes)]
    left = [line.amount.minor for line in lines]
    for place in sorted(range(len(codes)), key=lambda place: codes[place].percent_bps is None):
        if effects[place].reason:
            continue
        parts = _parts_of(codes[place], lines, left, currency)
        effects[place] = Effect(parts, "" if any(parts) else "There is nothing left to take off.")
        left = [before - part for before, part in zip(left, parts, strict=True)]
    return effects


def _refusal(code: Terms, earlier: Sequence[Terms], lines: Sequence[DiscountableLine], currency: str) -> str:
    """Why a code takes nothing off these lines; empty if it does."""
    if earlier and not (code.is_stackable and all(each.is_stackable for each in earlier)):
        return "This code cannot be combined with the other one."
    if code.by_currency and currency not in code.by_currency:
        return f"This code is for {_joined(sorted(code.by_currency))}, but your cart is in {currency}."
    if code.percent_bps is None and not code.by_currency:
        return "This code takes nothing off."
    amounts = [line.amount for line in lines if code.scope.includes(line)]
    if not amounts:
        return "This code is for nothing in your cart."
    least = code.by_currency[currency].least_spend if code.by_currency else Money.zero(currency)
    spent = sum(amounts, Money.zero(currency))
    if spent < least:
        return f"This code needs {least} of what it is for; your cart has {spent}."
    return "" if spent.minor else "What this code is for is free already."


def _parts_of(code: Terms, lines: Sequence[DiscountableLine], left: Sequence[int], currency: str) -> list[int]:
    weights = [
        Money(minor if code.scope.includes(line) else 0, currency) for line, minor in zip(lines, left, strict=True)
    ]
    return [part.minor for part in spread(_off(code, sum(weights, Money.zero(currency))), over=weights)]


def _off(code: Terms, spent: Money) -> Money:
    """What comes off `spent`: never more than that, and in whole steps of the currency, halves rounded up."""
    if code.percent_bps is None:
        off = code.by_currency[spent.currency].off or Money.zero(spent.currency)
        return min(off, spent)
    if code.percent_bps == WHOLE_BASIS_POINTS:
        return spent
    step = limits_of(spent.currency).step.minor
    whole = WHOLE_BASIS_POINTS * step
    steps = (2 * spent.minor * code.percent_bps + whole) // (2 * whole)
    return min(Money(steps * step, spent.currency), spent)


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
