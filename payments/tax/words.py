"""What pages and documents say about tax."""

from __future__ import annotations

from django.conf import settings

from money import Money
from payments.tax.rates import ADDED, BY_STRIPE, taxation_of


def name_rate(bps: int) -> str:
    """The tax at a rate: "VAT 20 %"."""
    return f"{settings.TAX_LABEL} {bps / 100:g} %"


def price_with_note(price: Money, domain: str) -> str:
    """A price as mails write it: "£50.00", or "£50.00 (+ 20 % VAT)"."""
    note = note_beside_price(domain)
    return f"{price} ({note})" if note and price.minor else str(price)


def note_beside_price(domain: str) -> str:
    """What stands beside a price of this domain: "incl. 20 % VAT" or "+ 20 % VAT"; empty without a tax."""
    if settings.TAX_MODE == BY_STRIPE:
        return f"incl. {settings.TAX_LABEL}"
    taxation = taxation_of(domain)
    if not taxation.bps:
        return ""
    sign = "+" if settings.TAX_MODE == ADDED else "incl."
    return f"{sign} {taxation.bps / 100:g} % {settings.TAX_LABEL}"
