"""How often a page that waits for a payment polls: often at first, then less, and not forever."""

from __future__ import annotations

from dataclasses import dataclass

from payments.models import Order


@dataclass(frozen=True, slots=True)
class Poll:
    """The page's next poll: its number, and the seconds until then."""

    number: int
    seconds: int


# Delivery takes a second or two. The waits add up to half an hour, after which a page at Stripe expires.
_OFTEN, _OFTEN_SECONDS, _LONGEST_SECONDS, _LAST = 15, 1, 30, 85
# A bank debit takes days.
_FOR_BANKS, _FOR_BANKS_LONGEST, _FOR_BANKS_LAST = 30, 600, 20


def poll_after(order: Order, number: int) -> Poll | None:
    """The poll after poll `number`; None if the outcome is known, or if the page has polled too long."""
    if order.state == Order.State.AWAITING_PAYMENT and number < _LAST:
        seconds = _OFTEN_SECONDS if number < _OFTEN else round(_OFTEN_SECONDS * 1.25 ** (number - _OFTEN))
        return Poll(number + 1, min(seconds, _LONGEST_SECONDS))
    if order.state == Order.State.PAYMENT_PENDING and number < _FOR_BANKS_LAST:
        return Poll(number + 1, min(_FOR_BANKS * 2**number, _FOR_BANKS_LONGEST))
    return None


def first_poll(order: Order) -> Poll | None:
    """The first poll of a page that was just opened."""
    return poll_after(order, 0)


def number_in(text: str) -> int:
    """The number of the poll that a page sends. Anything but a number counts as the last."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_LAST)) else _LAST
