"""The effect of a cart's codes on its lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from money import Money
from payments.discounts.codes import terms_of
from payments.discounts.rules import DiscountableLine, Effect, effects_of
from payments.discounts.standing import refusals_of
from payments.models import Cart, CartDiscount, DiscountCode


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCode:
    """A code of a cart with what it takes off in all, or with the reason why it takes nothing."""

    code: DiscountCode
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Discounts:
    """What codes take off: in all by code, and of each line, with the part that the platform bears. In minor units."""

    codes: Sequence[AppliedCode]
    off: Sequence[int]
    by_platform: Sequence[int]


def codes_of(cart: Cart) -> list[DiscountCode]:
    """The codes entered in a cart, the first one first. Two queries at most."""
    entered = CartDiscount.objects.filter(cart=cart).select_related("code").prefetch_related("code__amounts")
    return [each.code for each in entered]


def discounts_on(lines: Sequence[DiscountableLine], codes: Sequence[DiscountCode], *, cart: Cart) -> Discounts:
    """The discounts on lines of a cart. A code that may not be used takes nothing, and leaves the others alone."""
    refusals = refusals_of(codes, buyer_id=cart.buyer_id, cart_id=cart.pk)
    usable = [code for code in codes if code.pk not in refusals]
    found = effects_of([terms_of(code) for code in usable], lines, cart.currency) if cart.currency else []
    effects = {code.pk: effect for code, effect in zip(usable, found, strict=False)}
    nothing = [0] * len(lines)
    off, by_platform = list(nothing), list(nothing)
    applied = []
    # A cart takes its currency from its lines, so one that was emptied has codes but no currency.
    currency = cart.currency or settings.DEFAULT_CURRENCY
    for code in codes:
        effect = effects.get(code.pk) or Effect(nothing, refusals.get(code.pk, "Your cart is empty."))
        applied.append(AppliedCode(code=code, amount=Money(effect.minor, currency), reason=effect.reason))
        _add(off, effect.parts)
        if code.borne_by == DiscountCode.BorneBy.PLATFORM:
            _add(by_platform, effect.parts)
    return Discounts(codes=applied, off=off, by_platform=by_platform)


def _add(sums: list[int], parts: Sequence[int]) -> None:
    for position, part in enumerate(parts):
        sums[position] += part
