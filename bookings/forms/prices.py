"""Typed amounts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings

from bookings.rules import LARGEST_PRICE_MINOR, LOWEST_PRICE_MINOR
from money import Money, exponent


def currency_choices() -> list[tuple[str, str]]:
    """The site's currencies."""
    return [(currency, currency) for currency in settings.CURRENCIES]


def price_field(currency: str, **options: Any) -> forms.DecimalField:
    """A field for an amount in major units of a currency, within what can be charged."""
    return forms.DecimalField(
        decimal_places=exponent(currency),
        min_value=Money(LOWEST_PRICE_MINOR, currency).to_major(),
        max_value=Money(LARGEST_PRICE_MINOR, currency).to_major(),
        **options,
    )


def check_price(amount: Decimal, currency: str) -> Money:
    """Read an amount whose currency was typed beside it. Raises ValidationError."""
    return Money.from_major(price_field(currency).clean(str(amount)), currency)
