"""Verify that Stripe signed a body, and recently.

Stripe signs `<timestamp>.<raw body>` with HMAC-SHA256 (docs: "Verify webhook signatures manually"). While a secret is
rolled, the header has one `v1` per active secret, and the site accepts both, so no event is lost.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

TOLERANCE_SECONDS = 300
# Stripe sends one v1 per active secret; more could only be an attempt to waste our time.
_SIGNATURES_AT_MOST = 16


class SignatureInvalid(Exception):
    """The header is malformed, or no signature in it was made with one of our secrets."""


class TimestampOutsideTolerance(Exception):
    """Signed with our secret, but too long ago (a replay) or in the future (a wrong clock)."""

    def __init__(self, seconds_off: int) -> None:
        super().__init__(f"signed {seconds_off} seconds from now")
        self.seconds_off = seconds_off

    @property
    def is_in_the_future(self) -> bool:
        return self.seconds_off > 0


def verify(*, body: bytes, header: str, secrets: Sequence[str], now: float) -> None:
    """Check that one of the secrets signed `body` within five minutes of `now`, before or after.

    Raises SignatureInvalid or TimestampOutsideTolerance.
    """
    timestamp, signatures = _parse(header)
    signed = f"{timestamp}.".encode() + body
    expected = [hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in secrets]
    # No early exit: the time this takes must not reveal which secret matched.
    matches = [hmac.compare_digest(mine, theirs) for mine in expected for theirs in signatures]
    if not any(matches):
        raise SignatureInvalid("no signature matches")
    seconds_off = timestamp - int(now)
    if abs(seconds_off) > TOLERANCE_SECONDS:
        raise TimestampOutsideTolerance(seconds_off)


def _parse(header: str) -> tuple[int, list[str]]:
    timestamp: int | None = None
    signatures: list[str] = []
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            # Plain digits only: int() would also take "+5", "1_0" and digits of other scripts.
            if timestamp is not None or not (value.isascii() and value.isdigit() and len(value) <= 12):  # noqa: PLR2004
                raise SignatureInvalid("bad timestamp")
            timestamp = int(value)
        elif name == "v1" and value.isascii():
            signatures.append(value)
    if timestamp is None or not signatures or len(signatures) > _SIGNATURES_AT_MOST:
        raise SignatureInvalid("timestamp or signature missing")
    return timestamp, signatures
