"""The one table from event type to what is done about it, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from payments.models import WebhookEvent
from payments.webhook import event_handlers, fetches

Effect = Callable[[WebhookEvent, Any], str]
Fetch = Callable[[Mapping[str, Any]], Any]


class Route(NamedTuple):
    """What an event of a type does. Lower priorities are worked on first; `delay` keeps it out of the way that long.

    `effect` runs in a transaction. What can change both ways has a `fetch`, which reads the object from Stripe before,
    outside of any transaction; the effect then acts on what it returned, so the order of arrival does not matter.
    """

    effect: Effect
    priority: int
    delay: timedelta = timedelta(0)
    fetch: Fetch | None = None


def _record_only(event: WebhookEvent, payload: Mapping[str, Any]) -> str:  # noqa: ARG001  # an effect's signature
    return "stored; nothing to do for this type"


# After a big sale this long is enough for what somebody waits for.
_UNTIL_THE_RUSH_IS_OVER: Final = timedelta(seconds=3)
# Of the two events about a payment one is enough: the second is for the day on which the first gets lost.
_ROUTES: Final[Mapping[str, Route]] = {
    "checkout.session.completed": Route(event_handlers.session_completed, 0),
    "checkout.session.async_payment_succeeded": Route(event_handlers.session_completed, 0),
    "payment_intent.succeeded": Route(event_handlers.intent_succeeded, 5, _UNTIL_THE_RUSH_IS_OVER),
    "checkout.session.async_payment_failed": Route(event_handlers.session_async_failed, 10),
    "checkout.session.expired": Route(event_handlers.session_expired, 10),
    "payment_intent.payment_failed": Route(event_handlers.intent_failed, 10),
    "refund.created": Route(event_handlers.refund_changed, 10, fetch=fetches.fetch_refund),
    "refund.updated": Route(event_handlers.refund_changed, 10, fetch=fetches.fetch_refund),
    "refund.failed": Route(event_handlers.refund_changed, 10, fetch=fetches.fetch_refund),
}
# For events that act at once, unless only metadata connects them with a payment of ours.
_CONFIRMED: Final[Mapping[str, Route]] = {
    "payment_intent.succeeded": Route(event_handlers.session_confirmed, 5, fetch=fetches.fetch_session_of_intent),
}
# We do not listen for these; an endpoint that sends them all the same keeps nobody waiting.
_EVERYTHING_ELSE: Final = Route(_record_only, 20, _UNTIL_THE_RUSH_IS_OVER)

ACTED_ON: Final = frozenset(_ROUTES)


def route_of(event_type: str, *, is_confirmed: bool = False) -> Route:
    """What to do about a type; what we do not know is stored and acknowledged.

    `is_confirmed` for an event that has turned out to need Stripe's confirmation.
    """
    at_once = _ROUTES.get(event_type, _EVERYTHING_ELSE)
    return _CONFIRMED.get(event_type, at_once) if is_confirmed else at_once
