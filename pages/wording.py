"""The facts of the site that its texts mention. They come from the settings, so that each is written once."""

from __future__ import annotations

from django.conf import settings


def fill_in(text: str) -> str:
    """Replace {site}, {seller}, {address}, {tax_number} and {contact}. What the settings leave empty becomes a dash."""
    for name, value in facts().items():
        text = text.replace(f"{{{name}}}", value or "–")
    return text


def facts() -> dict[str, str]:
    """The facts by the names that texts use."""
    return {
        "site": settings.SITE_NAME,
        "seller": settings.SELLER_NAME,
        "address": settings.SELLER_ADDRESS,
        "tax_number": settings.SELLER_TAX_NUMBER,
        "contact": settings.CONTACT_EMAIL,
    }
