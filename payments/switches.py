"""Close the checkout, for everything or for one domain. Webhooks are still processed, so paid orders are delivered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from waffle.models import Switch

from payments.registry import handler_for, registered_domains

# Waffle switches in the admin. A missing one is off, so the checkout is open by default.
CHECKOUT_CLOSED = "checkout-closed"


@dataclass(frozen=True, slots=True)
class KnownSwitch:
    """A switch that code asks for: its name in the database, and what it does while it is on."""

    name: str
    title: str
    effect: str


def known_switches() -> list[KnownSwitch]:
    """Every switch there is, in the order in which staff look for them."""
    still = "Orders that are already paid are delivered, and refunds and payouts go on."
    everything = KnownSwitch(
        CHECKOUT_CLOSED, "Close the checkout", f"Nothing can be bought; the cart says that sales are paused. {still}"
    )
    kinds = [(domain, handler_for(domain).label) for domain in sorted(registered_domains())]
    return [
        everything,
        *(
            KnownSwitch(
                f"{CHECKOUT_CLOSED}-{domain}",
                f"Close the checkout for “{label}”",
                f"Carts that contain one cannot be paid; everything else can be bought. {still}",
            )
            for domain, label in kinds
        ),
    ]


class CheckoutClosed(Exception):
    """Staff have closed the checkout, for everything or for a domain in this cart."""


def refuse_when_closed(domains: Iterable[str]) -> None:
    """Raise CheckoutClosed if the checkout is closed for one of these domains or for all. Not cached."""
    names = [CHECKOUT_CLOSED, *(f"{CHECKOUT_CLOSED}-{domain}" for domain in domains)]
    if Switch.objects.filter(name__in=names, active=True).exists():
        raise CheckoutClosed
