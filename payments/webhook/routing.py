"""The one table from event type to what is done about it."""

from __future__ import annotations

from typing import Final

# What moves an order forward is worked on before everything that only keeps records. Of the two events that tell of a
# payment one is enough, so the second waits until everybody's first was worked on.
URGENT: Final = 0
URGENT_TWIN: Final = 5
ORDINARY: Final = 10

_PRIORITIES: Final = {
    "checkout.session.completed": URGENT,
    "checkout.session.async_payment_succeeded": URGENT,
    "payment_intent.succeeded": URGENT_TWIN,
}


def priority_of(event_type: str) -> int:
    """Lower is worked on first."""
    return _PRIORITIES.get(event_type, ORDINARY)
