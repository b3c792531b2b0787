"""The states of a subscription and the transitions between them (docs: "How subscriptions work").

Code changes a subscription inside `emitting_change`, which stores it and emits one event with all changes, before the
events of their consequences.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox import clock, store
from sandbox.billing import clocks, invoices
from sandbox.billing.periods import Period
from sandbox.billing.subscription_shapes import NO_CANCELLATION, differences, items_of
from sandbox.protocol.resource import presented
from sandbox.schedule import unschedule
from sandbox.store import Body
from sandbox.webhooks.events import emit, emitting_first

ENDED = clocks.ENDED
# The states that are billed at the end of a period.
ONGOING = ("trialing", "active", "past_due", "unpaid")
DAY = 24 * 3600
TRIAL_WARNING_DAYS = 3
# At Stripe, an account chooses between 1 and 45 days.
UPCOMING_DAYS = 3
INCOMPLETE_HOURS = 23
_STEPS = ("expire_subscription", "renew_subscription", "announce_renewal", "warn_of_trial_end", "end_subscription",
          "resume_collection")  # fmt: skip


def refresh(subscription: Body) -> Body:
    """Reload a body from the store: an invoice that was paid or refused has changed it meanwhile."""
    stored = store.fetch("subscription", subscription["id"])
    subscription.clear()
    subscription.update(stored)
    return subscription


def method_of(subscription: Body) -> Body | None:
    """The payment method of a subscription: its own, or else its customer's."""
    customer = store.find("customer", subscription["customer"]) or {}
    customers_own = (customer.get("invoice_settings") or {}).get("default_payment_method")
    return store.find("payment_method", subscription["default_payment_method"] or customers_own or "")


@contextmanager
def emitting_change(subscription: Body, *also: str) -> Iterator[None]:
    """Store what a block changes and emit one customer.subscription.updated, ahead of the block's events.

    Changes made by the block's invoices are part of the change: they write to the stored body, so a block stores its
    own changes before an invoice is paid, and refreshes afterwards. `also` names further events that follow
    customer.subscription.updated.
    """
    if subscription.get("_event_is_pending"):
        yield
        store.save(subscription)
        for event_type in also:
            emit(event_type, subscription)
        return
    before = copy.deepcopy(presented(subscription))
    subscription["_event_is_pending"] = True
    store.save(subscription)

    def emit_events() -> None:
        subscription.pop("_event_is_pending", None)
        store.save(subscription)
        previous = differences(before, presented(subscription))
        if previous:
            emit("customer.subscription.updated", subscription, previous=previous)
        for event_type in also:
            emit(event_type, subscription)

    with emitting_first(emit_events):
        yield


def renews_at(subscription: Body) -> int:
    """When the first of its items is due for billing."""
    return min(int(item["current_period_end"]) for item in items_of(subscription))


def ends_before_renewal(subscription: Body) -> bool:
    """Whether it will end no later than the paid period."""
    return subscription["cancel_at"] is not None and subscription["cancel_at"] <= renews_at(subscription)


def billed_period(subscription: Body) -> Period:
    """The period of the item to be billed next."""
    item = min(items_of(subscription), key=lambda one: int(one["current_period_end"]))
    return Period(item["current_period_start"], item["current_period_end"])


def plan(subscription: Body) -> None:
    """Schedule the next automatic step, in place of the one scheduled before."""
    for name in _STEPS:
        unschedule(name, subscription["id"])
    if subscription["status"] == "incomplete":
        _schedule(subscription, "expire_subscription", subscription["created"] + INCOMPLETE_HOURS * 3600)
    if subscription["status"] not in ONGOING:
        return
    renewal = renews_at(subscription)
    if ends_before_renewal(subscription):
        _schedule(subscription, "end_subscription", subscription["cancel_at"])
    else:
        _schedule(subscription, "renew_subscription", renewal)
        announced = renewal - UPCOMING_DAYS * DAY
        if announced > clock.now():
            _schedule(subscription, "announce_renewal", announced)
    pause = subscription["pause_collection"]
    if pause and pause["resumes_at"]:
        _schedule(subscription, "resume_collection", pause["resumes_at"])
    if subscription["status"] == "trialing":
        _plan_trial_warning(subscription)


def _schedule(subscription: Body, name: str, moment: int) -> None:
    clocks.schedule_in_time_of(subscription, name, subscription["id"], at=moment)


def _plan_trial_warning(subscription: Body) -> None:
    """Plan the warning three days before the end; at once for a shorter trial (docs: "Use trial periods")."""
    warned = subscription["trial_end"] - TRIAL_WARNING_DAYS * DAY
    if warned > clock.now():
        _schedule(subscription, "warn_of_trial_end", warned)
    else:
        warn_of_trial_end(subscription)


def warn_of_trial_end(subscription: Body) -> None:
    """Announce once per trial that it ends soon."""
    if subscription.get("_warned_of") != subscription["trial_end"]:
        subscription["_warned_of"] = subscription["trial_end"]
        store.save(subscription)
        emit("customer.subscription.trial_will_end", subscription)


def end(subscription: Body, *, reason: str | None = None, was_planned: bool = False) -> Body:
    """End a subscription now, for good; its unpaid invoices are no longer collected automatically.

    An earlier end clears the planned one; an end that `was_planned` keeps its plan visible.
    """
    with clocks.time_of(subscription):
        now = clock.now()
        details = subscription["cancellation_details"] or dict(NO_CANCELLATION)
        if not was_planned:
            subscription |= {"cancel_at": None, "cancel_at_period_end": False}
        subscription |= {
            "canceled_at": subscription["canceled_at"] or now,
            "cancellation_details": details | {"reason": reason or details["reason"]},
            "ended_at": now,
            "pending_update": None,
            "status": "canceled",
        }
        subscription.pop("_pending", None)
        store.save(subscription)
        plan(subscription)
        stop_collecting(subscription)
        emit("customer.subscription.deleted", subscription)
    return subscription


def stop_collecting(subscription: Body) -> None:
    """Leave its drafts and open invoices as they are (docs: "Cancel subscriptions")."""
    for invoice in invoices_of(subscription, "draft", "open"):
        if invoice["auto_advance"]:
            previous = {key: invoice[key] for key in ("auto_advance", "next_payment_attempt") if invoice[key]}
            previous |= _no_longer_finalized(invoice)
            invoices.stop_collecting(invoice)
            store.save(invoice)
            emit("invoice.updated", invoice, previous=previous)


def _no_longer_finalized(invoice: Body) -> Body:
    if invoice["automatically_finalizes_at"] is None:
        return {}
    previous = {"automatically_finalizes_at": invoice["automatically_finalizes_at"]}
    invoice["automatically_finalizes_at"] = None
    return previous


def invoices_of(subscription: Body, *statuses: str) -> list[Body]:
    """The invoices of a subscription in these states, oldest first."""
    rows = store.rows("invoice").filter(customer=subscription["customer"], status__in=statuses).order_by("sequence")
    found = rows.values_list("body", flat=True)
    return [dict(invoice) for invoice in found if invoices.subscription_of(invoice) == subscription["id"]]


def end_all_of(customer_id: str) -> None:
    """End the subscriptions of a customer who is being deleted."""
    rows = store.rows("subscription").filter(customer=customer_id).exclude(status__in=ENDED)
    for subscription in list(rows.values_list("body", flat=True)):
        end(subscription)
