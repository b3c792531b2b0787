"""How a page that waits for a payment asks again: often at first, then less, and not for ever."""

from __future__ import annotations

from dataclasses import dataclass

from payments.models import Order


@dataclass(frozen=True, slots=True)
class Poll:
    """The page's next question: which one it is, and after how many seconds it is asked."""

    number: int
    seconds: int


# Delivery takes a second or two; a page at Stripe ends after half an hour, which these add up to.
_OFTEN, _OFTEN_SECONDS, _LONGEST_SECONDS, _LAST = 15, 1, 30, 85
# A bank takes days.
_FOR_BANKS, _FOR_BANKS_LONGEST, _FOR_BANKS_LAST = 30, 600, 20


def poll_after(order: Order, number: int) -> Poll | None:
    """The question after question `number`; None if there is nothing left to wait for, or it took too long."""
    if order.state == Order.State.AWAITING_PAYMENT and number < _LAST:
        seconds = _OFTEN_SECONDS if number < _OFTEN else round(_OFTEN_SECONDS * 1.25 ** (number - _OFTEN))
        return Poll(number + 1, min(seconds, _LONGEST_SECONDS))
    if order.state == Order.State.PAYMENT_PENDING and number < _FOR_BANKS_LAST:
        return Poll(number + 1, min(_FOR_BANKS * 2**number, _FOR_BANKS_LONGEST))
    return None


def first_poll(order: Order) -> Poll | None:
    """The first question of a page that was just opened."""
    return poll_after(order, 0)


def number_in(text: str) -> int:
    """How many questions a page says it has asked. What is no number has asked the most."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_LAST)) else _LAST
