"""The one table from event type to what is done about it, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from payments.models import WebhookEvent
from payments.webhook import event_handlers

Effect = Callable[[WebhookEvent, Mapping[str, Any]], str]


class Route(NamedTuple):
    """What an event of a type does. Lower priorities are worked on first; `delay` keeps it out of the way that long."""

    effect: Effect
    priority: int
    delay: timedelta = timedelta(0)


def _record_only(event: WebhookEvent, payload: Mapping[str, Any]) -> str:  # noqa: ARG001  # an effect's signature
    return "stored; nothing to do for this type"


# After a big sale this long is enough for what somebody waits for.
_UNTIL_THE_RUSH_IS_OVER: Final = timedelta(seconds=3)
# Of the two events that tell of a payment one is enough: the second is for the day on which the first gets lost.
_ROUTES: Final[Mapping[str, Route]] = {
    "checkout.session.completed": Route(event_handlers.session_completed, 0),
    "checkout.session.async_payment_succeeded": Route(event_handlers.session_completed, 0),
    "payment_intent.succeeded": Route(event_handlers.intent_succeeded, 5, _UNTIL_THE_RUSH_IS_OVER),
    "checkout.session.async_payment_failed": Route(event_handlers.session_async_failed, 10),
    "checkout.session.expired": Route(event_handlers.session_expired, 10),
    "payment_intent.payment_failed": Route(event_handlers.intent_failed, 10),
    "refund.created": Route(event_handlers.refund_changed, 10),
    "refund.updated": Route(event_handlers.refund_changed, 10),
    "refund.failed": Route(event_handlers.refund_changed, 10),
}
# We do not listen for these; an endpoint that sends them all the same keeps nobody waiting.
_EVERYTHING_ELSE: Final = Route(_record_only, 20, _UNTIL_THE_RUSH_IS_OVER)

ACTED_ON: Final = frozenset(_ROUTES)


def route_of(event_type: str) -> Route:
    """What to do about a type; what we do not know is stored and acknowledged."""
    return _ROUTES.get(event_type, _EVERYTHING_ELSE)
