"""Closing the checkout, for everything or for one domain. Webhooks flow on: what was paid is delivered."""

from __future__ import annotations

from collections.abc import Iterable

from waffle.models import Switch

# Waffle switches in the admin. A missing one is off, so the checkout is open unless somebody closed it.
CHECKOUT_CLOSED = "checkout-closed"


class CheckoutClosed(Exception):
    """Staff closed the checkout, for all or for a domain in this cart."""


def refuse_when_closed(domains: Iterable[str]) -> None:
    """Raise CheckoutClosed if one of these domains, or everything, is closed. Read from the database each time."""
    names = [CHECKOUT_CLOSED, *(f"{CHECKOUT_CLOSED}-{domain}" for domain in domains)]
    if Switch.objects.filter(name__in=names, active=True).exists():
        raise CheckoutClosed
