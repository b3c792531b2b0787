"""The facts of the site that its texts mention. They come from the settings, so that each is written once."""

from __future__ import annotations

import re

from django.conf import settings


def fill_in(text: str) -> str:
    """Replace {site}, {seller}, {address}, {tax_number} and {contact}.

    What the settings leave empty is left out: with its line if it ends one, as in "Tax number: {tax_number}", otherwise
    with the comma before it.
    """
    values = facts()
    for mention in [re.escape(f"{{{name}}}") for name, value in values.items() if not value]:
        text = re.sub(rf"^[^{{}}\n]*{mention}$\n?", "", text, flags=re.MULTILINE)
        text = re.sub(rf",? ?{mention}", "", text)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
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
