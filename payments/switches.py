"""Close the checkout, for everything or for one domain. Webhooks are still processed, so paid orders are delivered."""

from __future__ import annotations

from collections.abc import Iterable

from waffle.models import Switch

# Waffle switches in the admin. A missing one is off, so the checkout is open by default.
CHECKOUT_CLOSED = "checkout-closed"


class CheckoutClosed(Exception):
    """Staff have closed the checkout, for everything or for a domain in this cart."""


def refuse_when_closed(domains: Iterable[str]) -> None:
    """Raise CheckoutClosed if the checkout is closed for one of these domains or for all. Not cached."""
    names = [CHECKOUT_CLOSED, *(f"{CHECKOUT_CLOSED}-{domain}" for domain in domains)]
    if Switch.objects.filter(name__in=names, active=True).exists():
        raise CheckoutClosed
