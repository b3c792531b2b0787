"""Who is told when an intent has moved: the Checkout Session, invoice or subscription it works for.

Payments know nothing of what they are for, so those who care register here. A follower is called with the intent
(payment or setup) after every step that its owner did not take itself, and must bear being called twice.
"""

from collections.abc import Callable
from typing import TypeAlias

from sandbox.store import Body

Follower: TypeAlias = Callable[[Body], None]
_followers: list[Follower] = []


def follows_intents(function: Follower) -> Follower:
    """Register somebody to be told."""
    _followers.append(function)
    return function


def tell_followers(intent: Body) -> None:
    """Say that an intent has moved."""
    for follower in _followers:
        follower(intent)
