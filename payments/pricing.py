"""The current price of a cart. The only source of a price is the domain's quote."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from money import Money
from money.limits import CannotBeCharged, TooLittle, check_chargeable, limits_of
from pages.kinds import PageKind
from pages.models import PageVersion
from pages.publishing import current_version
from payments.contracts import Item, NotForSale, Quote
from payments.discounts.effects import AppliedCode, codes_of, discounts_on
from payments.discounts.rules import DiscountableLine
from payments.gifts.quoting import as_gift
from payments.models import Cart, CartLine, DiscountCode
from payments.registry import UnknownDomain, handler_for
from payments.tax.amounts import LineTax, tax_of
from payments.tax.rates import UNTAXED, Taxation, taxation_of
from payments.tax.totals import TaxTotal, totals_by_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A cart line with its quote, or with the reason why it cannot be bought."""

    line: CartLine
    quote: Quote | None
    problem: str
    # The page where the student can change their choices for the line, or correct what is wrong with it.
    change_url: str
    unit_price: Money | None
    label: str
    # The discount on the whole line. A discount on the cart is spread over its lines beforehand.
    discount_minor: int = 0
    # The part of it that the platform bears, not the teacher.
    platform_discount_minor: int = 0
    taxation: Taxation = UNTAXED

    @property
    def seen_unit_price(self) -> Money | None:
        """The price that was shown last, if it was a different one."""
        if self.unit_price is None or self.unit_price.minor == self.line.seen_unit_minor:
            return None
        return Money(self.line.seen_unit_minor, self.unit_price.currency)

    @property
    def seen_amount(self) -> Money | None:
        """What the whole line cost by the price shown last, to compare with what it costs now; None if the same."""
        return self.seen_unit_price * self.line.quantity if self.seen_unit_price else None

    @property
    def title(self) -> str:
        """The item's title now; the last one seen if the item is no longer sold."""
        return (self.quote.title if self.quote else self.line.title) or "No longer offered"

    @property
    def has_changed(self) -> bool:
        """Whether price or title differ from what the student last saw."""
        return bool(self.seen_unit_price) or (self.quote is not None and self.quote.title[:200] != self.line.title)

    @property
    def list_amount(self) -> Money | None:
        """The price of all units before the discount; None if there is none in the cart's currency."""
        return self.unit_price * self.line.quantity if self.unit_price else None

    @property
    def price(self) -> Money | None:
        """The price of the line after the discount; None if there is none in the cart's currency."""
        return self.list_amount - self.discount if self.list_amount and self.discount else self.list_amount

    @property
    def line_tax(self) -> LineTax | None:
        """What is paid for the line and the tax in it; None if it has no price."""
        return tax_of(self.price, self.taxation) if self.price else None

    @property
    def amount(self) -> Money | None:
        """What is paid for the line: its price, with the tax if that is added; None if it has no price."""
        return self.line_tax.amount if self.line_tax else None

    @property
    def discount(self) -> Money | None:
        return Money(self.discount_minor, self.unit_price.currency) if self.unit_price and self.discount_minor else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCart:
    """A cart with its current prices."""

    cart: Cart
    lines: Sequence[PricedLine]
    # The terms that a buyer accepts; None if the site has none.
    terms: PageVersion | None = None
    # The codes entered, the first one first, with what each takes off or why it takes nothing.
    codes: Sequence[AppliedCode] = ()

    @property
    def currency(self) -> str:
        return self.cart.currency

    @property
    def is_buyable(self) -> bool:
        return bool(self.lines) and not self.problem and not any(line.problem for line in self.lines)

    @property
    def problem(self) -> str:
        """Why a card cannot be charged the total; empty if it can. A total of zero charges no card."""
        total = self.total
        if total is None or not total.minor:
            return ""
        try:
            check_chargeable(total)
        except TooLittle as error:
            return f"{error} {self._how_to_reach_the_least(total)}"
        except CannotBeCharged as error:
            return str(error)
        return ""

    def _how_to_reach_the_least(self, total: Money) -> str:
        """What a student can do about a total that is too small to charge, but not free."""
        codes = [each.code.code for each in self.codes if each.amount.minor]
        if not codes:
            return f"Your cart comes to {total}: add something else to it."
        which = "the code" if len(codes) == 1 else "one of the codes"
        return f"With your discount your cart comes to {total}: add something else to it, or remove {which} {', '.join(codes)}."

    @property
    def has_changed_prices(self) -> bool:
        return any(line.seen_unit_price for line in self.lines)

    @property
    def has_changed_lines(self) -> bool:
        return any(line.has_changed for line in self.lines)

    @property
    def total(self) -> Money | None:
        """Sum of the lines that can be bought; None for an empty cart."""
        if not self.lines:
            return None
        return self._sum_of(line.amount for line in self.lines)

    @property
    def subtotal(self) -> Money | None:
        """The sum at list prices; None if it is the total."""
        if not any(line.discount or (line.line_tax and line.line_tax.added.minor) for line in self.lines):
            return None
        return self._sum_of(line.list_amount for line in self.lines)

    @property
    def discount(self) -> Money | None:
        """The discounts of all lines together; None if there are none."""
        if not any(line.discount for line in self.lines):
            return None
        return self._sum_of(line.discount for line in self.lines)

    @property
    def tax(self) -> Money | None:
        """The tax in the total; None for an empty cart, or if Stripe computes it."""
        if not self.lines or any(line.taxation.is_by_stripe for line in self.lines):
            return None
        return self._sum_of(total.tax for total in self.taxes)

    @property
    def taxes(self) -> Sequence[TaxTotal]:
        """The tax by rate. Empty without a tax, or if Stripe computes it."""
        taxed = [(line.taxation.bps, line.line_tax) for line in self.lines if line.line_tax]
        return totals_by_rate((bps, each.amount, each.tax, each.added) for bps, each in taxed)

    def _sum_of(self, amounts: Iterable[Money | None]) -> Money:
        return sum((amount for amount in amounts if amount), Money.zero(self.currency))

    @property
    def digest(self) -> str:
        """A hash of these lines at these prices and of the terms. The page posts it back as what the student agreed to."""
        content = [
            self.currency,
            self.terms.pk if self.terms else None,
            [
                [
                    priced.line.domain,
                    priced.line.reference,
                    priced.line.quantity,
                    priced.line.details,
                    priced.line.gift,
                    priced.unit_price.minor if priced.unit_price else None,
                    priced.discount_minor,
                    priced.problem,
                ]
                for priced in self.lines
            ],
            [each.code.pk for each in self.codes if each.amount.minor],
            *[[each.bps, each.tax.minor, each.added.minor] for each in self.taxes],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def quote_items(items: Iterable[Item], buyer_id: int | None) -> dict[int, Quote | NotForSale]:
    """The quotes by position of their items. Each domain is called once, for all its items."""
    by_domain: dict[str, list[tuple[int, Item]]] = defaultdict(list)
    for position, item in enumerate(items):
        by_domain[item.domain].append((position, item))
    quotes: dict[int, Quote | NotForSale] = {}
    for domain, positioned in by_domain.items():
        try:
            handler = handler_for(domain)
            answers = [
                as_gift(answer, handler) if item.gift else answer
                for (_, item), answer in zip(
                    positioned, handler.quote([item for _, item in positioned], buyer_id), strict=True
                )
            ]
        except UnknownDomain:
            answers = [NotForSale("This is not sold here any more.")] * len(positioned)
        for (position, _), answer in zip(positioned, answers, strict=True):
            quotes[position] = answer
    return quotes


def price_cart(cart: Cart, *, trying: DiscountCode | None = None) -> PricedCart:
    """Price every line of a cart, with two queries for lines and codes and a constant number per domain.

    `trying` is a code to apply in addition to those entered.
    """
    codes = codes_of(cart)
    if trying and trying not in codes:
        codes.append(trying)
    return _price_lines(list(cart.lines.all()), codes, cart)


def price_items(
    items: Iterable[Item], *, buyer_id: int | None, currency: str, code: DiscountCode | None = None
) -> PricedCart:
    """What items would cost in a cart of their own, perhaps with a code. Writes nothing."""
    cart = Cart(user_id=buyer_id, currency=currency)
    lines = [
        CartLine(
            cart=cart,
            domain=item.domain,
            reference=item.reference,
            quantity=item.quantity,
            details=dict(item.details),
            gift=item.gift.as_json() if item.gift else {},
            gift_key=item.key[-1],
            seen_unit_minor=0,
        )
        for item in items
    ]
    return _price_lines(lines, [code] if code else [], cart)


def _price_lines(lines: Sequence[CartLine], codes: Sequence[DiscountCode], cart: Cart) -> PricedCart:
    quotes = quote_items([line.item for line in lines], cart.buyer_id)
    priced = [_price(line, quotes[position], cart) for position, line in enumerate(lines)]
    discounted, applied = _discounted(priced, codes, cart)
    return PricedCart(cart=cart, lines=discounted, terms=current_version(PageKind.TERMS), codes=applied)


def _discounted(
    lines: list[PricedLine], codes: Sequence[DiscountCode], cart: Cart
) -> tuple[list[PricedLine], Sequence[AppliedCode]]:
    """The lines with what the codes take off those that can be bought."""
    if not codes:
        return lines, ()
    places, discountable = [], []
    for place, line in enumerate(lines):
        if line.quote and line.list_amount and not line.problem:
            places.append(place)
            discountable.append(_discountable(line, line.quote, line.list_amount))
    discounts = discounts_on(discountable, codes, cart=cart)
    discounted = list(lines)
    for place, off, by_platform in zip(places, discounts.off, discounts.by_platform, strict=True):
        discounted[place] = replace(lines[place], discount_minor=off, platform_discount_minor=by_platform)
    return discounted, discounts.codes


def _discountable(line: PricedLine, quote: Quote, amount: Money) -> DiscountableLine:
    return DiscountableLine(
        domain=line.line.domain, reference=line.line.reference, teacher_id=quote.teacher_id, amount=amount
    )


def _price(line: CartLine, quote: Quote | NotForSale, cart: Cart) -> PricedLine:
    problem = ""
    unit_price = None
    is_sold_by_teacher = isinstance(quote, NotForSale) or quote.teacher_id is not None
    if isinstance(quote, NotForSale):
        problem = str(quote)
    else:
        unit_price = quote.unit_prices.get(cart.currency)
        if unit_price is None:
            problem = f"This is not offered in {cart.currency}."
        elif line.quantity > quote.quantity_limit:
            problem = _too_many(quote.quantity_limit)
        else:
            problem = _problem_of_price(unit_price)
    return PricedLine(
        line=line,
        quote=None if isinstance(quote, NotForSale) else quote,
        problem=problem,
        change_url=quote.change_url,
        unit_price=unit_price,
        label=_label(line.domain),
        taxation=taxation_of(line.domain, is_sold_by_teacher=is_sold_by_teacher),
    )


def _problem_of_price(price: Money) -> str:
    """Check only the step: Stripe checks that for each line, but the minimum and maximum only for the whole payment."""
    try:
        limits_of(price.currency).check_step(price)
    except CannotBeCharged as error:
        return str(error)
    return ""


def _too_many(limit: int) -> str:
    if limit <= 0:
        return "This is sold out."
    return f"At most {limit} can be bought." if limit > 1 else "Only one can be bought."


def _label(domain: str) -> str:
    try:
        return handler_for(domain).label
    except UnknownDomain:
        return ""
