"""`{{ listing|price_in:currency|money }}`."""

from __future__ import annotations

from django import template

from catalogue.models import Listing
from money import Money

register = template.Library()


@register.filter
def price_in(listing: Listing, currency: str) -> Money | None:
    """The listing's price in this currency, or in the one that the cart would use."""
    return listing.price_in(currency)
