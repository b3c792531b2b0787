"""What became of trying to take money, or to set a method up."""

from dataclasses import dataclass

from sandbox.protocol.errors import ApiError
from sandbox.store import Body


@dataclass(frozen=True)
class Attempt:
    """What became of a confirmation; `error` is set when it was declined."""

    intent: Body
    error: ApiError | None = None
