"""The quote of an item that is given."""

from __future__ import annotations

from dataclasses import replace

from payments.contracts import DomainHandler, NotForSale, Quote


def as_gift(answer: Quote | NotForSale, handler: DomainHandler) -> Quote | NotForSale:
    """The quote for a gift: one unit, of what can be given."""
    if not handler.can_be_given:
        return NotForSale("This cannot be given as a gift.")
    if isinstance(answer, NotForSale):
        return answer
    return replace(answer, quantity_limit=min(1, answer.quantity_limit))
