"""The outcome of an attempt to charge or to set up a payment method."""

from dataclasses import dataclass

from sandbox.protocol.errors import ApiError
from sandbox.store import Body


@dataclass(frozen=True)
class Attempt:
    """The outcome of confirming an intent; `error` is set if it failed."""

    intent: Body
    error: ApiError | None = None
