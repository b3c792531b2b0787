"""The tax on an item of a domain, by setting. What is sold keeps the tax of its day: see `OrderLine`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.conf import settings

EVERY_DOMAIN = "*"
INCLUDED, ADDED, BY_STRIPE = "included", "added", "stripe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxation:
    """How an item is taxed: the rate in basis points, whether it is added to the price, and whether the platform owes it."""

    bps: int = 0
    is_added: bool = False
    is_owed_by_platform: bool = False
    # Whether Stripe computes the tax once the student has given their address. Until then nothing is taxed.
    is_by_stripe: bool = False


UNTAXED = Taxation()


def taxation_of(domain: str, *, is_sold_by_teacher: bool = True, on: date | None = None) -> Taxation:
    """How an item of this domain is taxed on a day in UTC, today by default.

    What the platform sells by itself is its own sale, so it owes that tax whatever the setting says.
    """
    is_by_stripe = settings.TAX_MODE == BY_STRIPE
    return Taxation(
        bps=0 if is_by_stripe else rate_of(domain, on=on or datetime.now(UTC).date()),
        is_added=settings.TAX_MODE == ADDED,
        is_owed_by_platform=settings.TAX_OWED_BY == "platform" or not is_sold_by_teacher,
        is_by_stripe=is_by_stripe,
    )


def rate_of(domain: str, *, on: date) -> int:
    """The rate in basis points: the domain's own, else that of every domain, each the last one that has begun."""
    for name in (domain, EVERY_DOMAIN):
        begun = _begun(name, on)
        if begun:
            return max(begun)[1]
    return int(settings.TAX_RATE_BPS)


def _begun(name: str, on: date) -> Sequence[tuple[date, int]]:
    return [(starts_on, bps) for domain, bps, starts_on in settings.TAX_RATES if domain == name and starts_on <= on]
