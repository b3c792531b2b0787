"""The outcome of an attempt to take money or to set up a method."""

from dataclasses import dataclass

from sandbox.protocol.errors import ApiError
from sandbox.store import Body


@dataclass(frozen=True)
class Attempt:
    """The outcome of a confirmation; `error` is set if it was declined."""

    intent: Body
    error: ApiError | None = None
