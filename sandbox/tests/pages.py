"""Submit Checkout's page as a browser without scripts would."""

import re
from html import unescape

CARD = {
    "email": "ada@example.org",
    "method": "card",
    "cardNumber": "4242 4242 4242 4242",
    "cardExpiry": "12 / 34",
    "cardCvc": "123",
    "billingName": "Ada L",
    "billingCountry": "GB",
}


def post_page(sandbox, session, **changes):
    """Submit the form with a working card and these changes."""
    return sandbox.post(f"/c/pay/{session.id}", **CARD | {name: str(value) for name, value in changes.items()})


def error_at(page, field):
    """The message beside a field, or None."""
    found = re.search(rf'id="{re.escape(field)}-error">([^<]*)<', page.text)
    return unescape(found.group(1)).strip() if found else None


def text_of(page, element_id):
    """The text of an element, or None."""
    found = re.search(rf'id="{element_id}"[^>]*>(.*?)</(?:p|dd|h1)>', page.text, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found.group(1))).split()) if found else None
