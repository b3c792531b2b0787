"""The one table from event type to what is done about it."""

from __future__ import annotations

from typing import Final

# What moves an order forward is worked on before everything that only keeps records.
URGENT: Final = 0
ORDINARY: Final = 10

_URGENT_TYPES: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "payment_intent.succeeded",
    }
)


def priority_of(event_type: str) -> int:
    """Lower is worked on first."""
    return URGENT if event_type in _URGENT_TYPES else ORDINARY
