"""The table of event types: what is done for each, and how soon."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.conf import settings

from payments.disputes import event_handlers as dispute_handlers
from payments.disputes import fetches as dispute_fetches
from payments.models import WebhookEvent
from payments.payouts import event_handlers as payout_handlers
from payments.payouts import fetches as payout_fetches
from payments.saved_cards import event_handlers as saved_card_handlers
from payments.webhook import event_handlers, fetches

EventHandler = Callable[[WebhookEvent, Any], str]
Fetch = Callable[[Mapping[str, Any]], Any]
# For objects of a connected account, whose id comes first.
AccountFetch = Callable[[str, Mapping[str, Any]], Any]


class Route(NamedTuple):
    """How events of a type are processed: lower priorities first, and not before `delay` has passed.

    `handle` runs in a transaction. Objects whose state can change in both directions have a `fetch`, which retrieves
    the object before, outside any transaction; it acts on the result, so the order of arrival does not matter.
    """

    handle: EventHandler
    priority: int
    delay: timedelta = timedelta(0)
    fetch: Fetch | None = None
    fetch_in_account: AccountFetch | None = None

    @property
    def needs_fetch(self) -> bool:
        return self.fetch is not None or self.fetch_in_account is not None


def _record_only(event: WebhookEvent, payload: Mapping[str, Any]) -> str:  # noqa: ARG001  # the signature of event handlers
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
    **dict.fromkeys(
        (
            "payment_method.attached",
            "payment_method.detached",
            "payment_method.updated",
            "payment_method.automatically_updated",
        ),
        Route(saved_card_handlers.method_changed, 15),
    ),
    "customer.updated": Route(saved_card_handlers.customer_changed, 15),
    "customer.deleted": Route(saved_card_handlers.customer_changed, 15),
    "transfer.created": Route(payout_handlers.transfer_changed, 10, fetch=payout_fetches.fetch_transfer),
    "transfer.updated": Route(payout_handlers.transfer_changed, 10, fetch=payout_fetches.fetch_transfer),
    "transfer.reversed": Route(payout_handlers.transfer_changed, 10, fetch=payout_fetches.fetch_transfer),
}
_ACCOUNT_CHANGED: Final = Route(
    payout_handlers.account_changed, 10, fetch_in_account=payout_fetches.fetch_account_state
)
_BANK_PAYOUT_CHANGED: Final = Route(
    payout_handlers.bank_payout_changed, 10, fetch_in_account=payout_fetches.fetch_bank_payout
)
# Of connected accounts. Whatever else such an account does is its own: a payment there pays no order here.
_ROUTES_OF_ACCOUNTS: Final[Mapping[str, Route]] = {
    "account.updated": _ACCOUNT_CHANGED,
    "account.application.deauthorized": _ACCOUNT_CHANGED,
    "payout.created": _BANK_PAYOUT_CHANGED,
    "payout.updated": _BANK_PAYOUT_CHANGED,
    "payout.paid": _BANK_PAYOUT_CHANGED,
    "payout.failed": _BANK_PAYOUT_CHANGED,
    "payout.canceled": _BANK_PAYOUT_CHANGED,
}
# For events that need no fetch, unless only metadata links them to a payment of ours, or Stripe computed its tax.
_CONFIRMED: Final[Mapping[str, Route]] = {
    "checkout.session.completed": Route(event_handlers.session_confirmed, 0, fetch=fetches.fetch_session),
    "checkout.session.async_payment_succeeded": Route(event_handlers.session_confirmed, 0, fetch=fetches.fetch_session),
    "payment_intent.succeeded": Route(event_handlers.session_confirmed, 5, fetch=fetches.fetch_session_of_intent),
}
# We do not listen for these. If the endpoint at Stripe sends them all the same, they must not delay the others.
_EVERYTHING_ELSE: Final = Route(_record_only, 20, _UNTIL_THE_RUSH_IS_OVER)

# Of apps above this one, such as those that bill through Stripe.
_registered: dict[str, Route] = {}

ACTED_ON: Final = frozenset(_ROUTES)
ACTED_ON_FOR_ACCOUNTS: Final = frozenset(_ROUTES_OF_ACCOUNTS)


def register_routes(routes: Mapping[str, Route]) -> None:
    """Let an app act on further types of event. Its AppConfig calls it at start; a type has one route."""
    if taken := routes.keys() & (ACTED_ON | _registered.keys()):
        raise ValueError(f"these types have a route already: {', '.join(sorted(taken))}")
    _registered.update(routes)


def registered_types() -> frozenset[str]:
    """The types that other apps act on."""
    return frozenset(_registered)


def connected_account_of(event: Mapping[str, Any]) -> str:
    """The id of the connected account that an event belongs to; empty for the platform's own."""
    account = event.get("account") or ""
    return "" if account == settings.STRIPE_ACCOUNT_ID else account


def route_of(event_type: str, *, is_confirmed: bool = False, is_of_account: bool = False) -> Route:
    """The route of a type. Events of unknown types are only stored and acknowledged.

    `is_confirmed` is for an event that needs Stripe's confirmation, `is_of_account` for one of a connected account.
    """
    if is_of_account:
        return _ROUTES_OF_ACCOUNTS.get(event_type, _EVERYTHING_ELSE)
    at_once = _ROUTES.get(event_type) or _registered.get(event_type, _EVERYTHING_ELSE)
    return _CONFIRMED.get(event_type, at_once) if is_confirmed else at_once
