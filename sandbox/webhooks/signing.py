"""The Stripe-Signature header (docs: "Verify webhook signatures manually")."""

import hashlib
import hmac
from collections.abc import Sequence


def signature_header(payload: bytes, secrets: Sequence[str], timestamp: int) -> str:
    """`t=…,v1=…`, with one v1 for each valid secret: there are two while a secret is being rotated."""
    signed = str(timestamp).encode() + b"." + payload
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])
