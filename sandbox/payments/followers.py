"""Callbacks for a changed intent: from the Checkout Session, invoice or subscription it belongs to.

Payments do not know their purpose, so interested modules register here. A follower is called with the intent
(payment or setup) after every step that its owner did not take itself, and must bear being called twice.
"""

from collections.abc import Callable
from typing import TypeAlias

from sandbox.store import Body

Follower: TypeAlias = Callable[[Body], None]
_followers: list[Follower] = []


def follows_intents(function: Follower) -> Follower:
    """Register a follower."""
    _followers.append(function)
    return function


def tell_followers(intent: Body) -> None:
    """Call the followers of an intent that changed."""
    for follower in _followers:
        follower(intent)
