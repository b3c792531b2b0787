"""An update that changes several parts of a subscription, and resuming a paused one (docs: "Modify subscriptions")."""

from typing import Any

from sandbox import clock, store
from sandbox.billing import clocks, discounts
from sandbox.billing.pending_updates import holding_back
from sandbox.billing.subscription_billing import line_for, remove_discount
from sandbox.billing.subscription_changes import (
    Collection,
    change_items,
    end_trial_now,
    invoice_now,
    set_cancellation,
    start_cycle,
    start_trial,
)
from sandbox.billing.subscription_shapes import NO_CANCELLATION, items_of
from sandbox.billing.subscriptions import emitting_change, plan, renews_at
from sandbox.store import Body
from sandbox.webhooks.events import emit


def update_subscription(subscription: Body, change: Body, collection: Body) -> Body:
    """Make all requested changes, and emit one event.

    `change` holds `fields` to copy and, where requested, `items`, `discounts`, `trial_end`,
    `billing_cycle_anchor`, `pause_collection`, `cancel_at_period_end`, `cancel_at`, `cancellation_details`.
    """
    terms = Collection(**collection)
    with emitting_change(subscription), holding_back(subscription, terms.payment_behavior):
        subscription |= change["fields"]
        if "discounts" in change:
            _replace_discounts(subscription, change["discounts"])
        if "pause_collection" in change:
            pause = change["pause_collection"]
            subscription["pause_collection"] = {"resumes_at": None} | pause if pause else None
        if "trial_end" in change:
            _move_trial(subscription, change["trial_end"], terms)
        resets = change.get("billing_cycle_anchor") == "now"
        if change.get("items") or resets:
            change_items(subscription, change.get("items", []), resets_cycle=resets, **collection)
        _apply_cancellation(subscription, change)
        store.save(subscription)
    plan(subscription)
    return subscription


def _move_trial(subscription: Body, trial_end: Any, terms: Collection) -> None:
    if trial_end != "now":
        start_trial(subscription, trial_end, terms)
    elif subscription["status"] == "trialing":
        end_trial_now(subscription, terms)


def _replace_discounts(subscription: Body, granted: list[Body]) -> None:
    """Set exactly these discounts on the subscription; those it already had stay as they are."""
    kept = [one["id"] for one in granted if one["object"] == "discount"]
    for discount_id in list(subscription["discounts"]):
        if discount_id not in kept:
            remove_discount(subscription, store.fetch("discount", discount_id))
    for one in granted:
        discount = discounts.grant(one, customer=subscription["customer"], subscription=subscription["id"])
        if discount["id"] not in subscription["discounts"]:
            subscription["discounts"] = [*subscription["discounts"], discount["id"]]
            emit("customer.discount.created", discount)


def _apply_cancellation(subscription: Body, change: Body) -> None:
    details = change.get("cancellation_details")
    if change.get("cancel_at_period_end"):
        set_cancellation(subscription, at_period_end=True, details=details)
    elif "cancel_at" in change:
        set_cancellation(subscription, at=change["cancel_at"], details=details)
    elif change.get("cancel_at_period_end") is False and subscription["cancel_at_period_end"]:
        set_cancellation(subscription, details=details)
    elif details:
        known = subscription["cancellation_details"] or NO_CANCELLATION
        subscription["cancellation_details"] = known | details


def resume_paused(subscription: Body, *, keeps_cycle: bool, collection: Body) -> Body:
    """Resume a paused subscription: at once within its current period, otherwise when its invoice is paid."""
    with clocks.time_of(subscription):
        with emitting_change(subscription):
            if keeps_cycle and renews_at(subscription) > clock.now():
                subscription["status"] = "active"
            else:
                subscription["_is_resuming"] = True
                start_cycle(subscription, clock.now())
                lines = [line_for(subscription, item) for item in items_of(subscription)]
                invoice_now(subscription, lines, Collection(**collection))
        if subscription["status"] == "active":
            emit("customer.subscription.resumed", subscription)
        plan(subscription)
    return subscription
