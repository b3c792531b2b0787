"""Prints a whole environment for checking the production settings, with secrets made up anew each time.

Secrets that lie in a repository are public; were they complete, a site could be started with them.
"""

import secrets
from pathlib import Path

print((Path(__file__).parent / "production.env").read_text(), end="")
print(f"SECRET_KEY={secrets.token_urlsafe(64)}")
print(f"STRIPE_SECRET_KEY=sk_test_{secrets.token_hex(16)}")
print(f"STRIPE_WEBHOOK_SECRETS=whsec_{secrets.token_hex(16)}")
