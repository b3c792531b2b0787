"""Callbacks for a changed intent, for the Checkout Session, invoice or subscription it belongs to.

The payments package does not import the modules that use it; they register here instead. A follower is called with the
intent (payment or setup) after each change from outside its own module, and must tolerate a repeated call.
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


def call_followers(intent: Body) -> None:
    """Call the followers of an intent that changed."""
    for follower in _followers:
        follower(intent)
