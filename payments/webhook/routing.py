"""The table of event types: what is done for each, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from payments.disputes import event_handlers as dispute_handlers
from payments.disputes import fetches as dispute_fetches
from payments.models import WebhookEvent
from payments.webhook import event_handlers, fetches

Effect = Callable[[WebhookEvent, Any], str]
Fetch = Callable[[Mapping[str, Any]], Any]


class Route(NamedTuple):
    """How events of a type are processed: lower priorities first, and not before `delay` has passed.

    `effect` runs in a transaction. Objects whose state can change in both directions have a `fetch`, which retrieves
    the object before, outside any transaction; the effect acts on its result, so the order of arrival does not matter.
    """

    effect: Effect
    priority: int
    delay: timedelta = timedelta(0)
    fetch: Fetch | None = None


def _record_only(event: WebhookEvent, payload: Mapping[str, Any]) -> str:  # noqa: ARG001  # an effect's signature
    return "stored; nothing to do for this type"


# Within this time the urgent events of a big sale are processed.
_UNTIL_THE_RUSH_IS_OVER: Final = timedelta(seconds=3)
# One of the two events about a payment is enough: the second matters only if the first is lost.
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
    **dict.fromkeys(
        (
            "charge.dispute.created",
            "charge.dispute.updated",
            "charge.dispute.closed",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.funds_reinstated",
        ),
        Route(dispute_handlers.dispute_changed, 10, fetch=dispute_fetches.fetch_dispute),
    ),
    **dict.fromkeys(
        ("radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"),
        Route(dispute_handlers.fraud_warning_changed, 10, fetch=dispute_fetches.fetch_fraud_warning),
    ),
}
# For events that need no fetch, unless only metadata links them to a payment of ours.
_CONFIRMED: Final[Mapping[str, Route]] = {
    "payment_intent.succeeded": Route(event_handlers.session_confirmed, 5, fetch=fetches.fetch_session_of_intent),
}
# We do not listen for these. If the endpoint at Stripe sends them all the same, they must not delay the others.
_EVERYTHING_ELSE: Final = Route(_record_only, 20, _UNTIL_THE_RUSH_IS_OVER)

ACTED_ON: Final = frozenset(_ROUTES)


def route_of(event_type: str, *, is_confirmed: bool = False) -> Route:
    """The route of a type. Events of unknown types are only stored and acknowledged.

    `is_confirmed` is for an event that needs Stripe's confirmation.
    """
    at_once = _ROUTES.get(event_type, _EVERYTHING_ELSE)
    return _CONFIRMED.get(event_type, at_once) if is_confirmed else at_once
