"""What a cart costs now. The only source of a price is the domain's quote."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from money import Money
from payments.contracts import Item, NotForSale, Quote
from payments.models import Cart, CartLine
from payments.registry import UnknownDomain, handler_for


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A cart line with its quote, or with the reason why it cannot be bought."""

    line: CartLine
    quote: Quote | None
    problem: str
    unit_price: Money | None
    label: str

    @property
    def seen_unit_price(self) -> Money | None:
        """The price shown when last looked at, if it was another one."""
        if self.unit_price is None or self.unit_price.minor == self.line.seen_unit_minor:
            return None
        return Money(self.line.seen_unit_minor, self.unit_price.currency)

    @property
    def amount(self) -> Money | None:
        return self.unit_price * self.line.quantity if self.unit_price else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedCart:
    """A cart as it would be bought this moment."""

    cart: Cart
    lines: Sequence[PricedLine]

    @property
    def currency(self) -> str:
        return self.cart.currency

    @property
    def is_buyable(self) -> bool:
        return bool(self.lines) and not any(line.problem for line in self.lines)

    @property
    def has_changed_prices(self) -> bool:
        return any(line.seen_unit_price for line in self.lines)

    @property
    def total(self) -> Money | None:
        """Sum of the lines that can be bought; None for an empty cart."""
        if not self.lines:
            return None
        total = Money.zero(self.currency)
        for line in self.lines:
            if line.amount:
                total = total + line.amount
        return total

    @property
    def digest(self) -> str:
        """Stands for exactly these lines at these prices; the page posts it back as what the student agreed to."""
        content = [
            self.currency,
            [
                [
                    priced.line.domain,
                    priced.line.reference,
                    priced.line.quantity,
                    priced.line.details,
                    priced.unit_price.minor if priced.unit_price else None,
                    priced.problem,
                ]
                for priced in self.lines
            ],
        ]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def quote_items(items: Iterable[Item], buyer_id: int | None) -> dict[int, Quote | NotForSale]:
    """Quotes by position, asking each domain once however many items it has."""
    by_domain: dict[str, list[tuple[int, Item]]] = defaultdict(list)
    for position, item in enumerate(items):
        by_domain[item.domain].append((position, item))
    quotes: dict[int, Quote | NotForSale] = {}
    for domain, positioned in by_domain.items():
        try:
            answers = handler_for(domain).quote([item for _, item in positioned], buyer_id)
        except UnknownDomain:
            answers = [NotForSale("This is not sold here any more.")] * len(positioned)
        for (position, _), answer in zip(positioned, answers, strict=True):
            quotes[position] = answer
    return quotes


def price_cart(cart: Cart) -> PricedCart:
    """Quote every line of a cart: one query for the lines and a constant number per domain."""
    lines = list(cart.lines.all())
    quotes = quote_items([line.item for line in lines], cart.user_id)
    return PricedCart(cart=cart, lines=[_price(line, quotes[position], cart) for position, line in enumerate(lines)])


def _price(line: CartLine, quote: Quote | NotForSale, cart: Cart) -> PricedLine:
    problem = ""
    unit_price = None
    if isinstance(quote, NotForSale):
        problem = str(quote)
    else:
        unit_price = quote.unit_prices.get(cart.currency)
        if unit_price is None:
            problem = f"This is not offered in {cart.currency}."
        elif line.quantity > quote.quantity_limit:
            problem = _too_many(quote.quantity_limit)
    return PricedLine(
        line=line,
        quote=None if isinstance(quote, NotForSale) else quote,
        problem=problem,
        unit_price=unit_price,
        label=_label(line.domain),
    )


def _too_many(limit: int) -> str:
    if limit <= 0:
        return "This is sold out."
    return f"Only {limit} left." if limit > 1 else "Only one can be bought."


def _label(domain: str) -> str:
    try:
        return handler_for(domain).label
    except UnknownDomain:
        return ""
