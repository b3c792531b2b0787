"""What Stripe said, as staff may read it."""

from __future__ import annotations

import re

# By its text, so that JSON which Python cannot load is covered too.
_SECRET = re.compile(r'("[^"]*secret[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"', re.IGNORECASE)


def without_secrets(written: str) -> str:
    """Take out of JSON what is named a secret, such as the client_secret that a payment is confirmed with."""
    return _SECRET.sub(r'\1"(not shown)"', written)
