"""Changing a running subscription: its items with prorations, its cycle, its trial, its end.

Docs: "Prorations", "Billing cycle", "Cancel subscriptions". Amounts are minor units.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import clock, store
from sandbox.billing import clocks, invoices
from sandbox.billing.invoice_paying import NO_METHOD
from sandbox.billing.pending_updates import holding_back
from sandbox.billing.periods import Period, period_around, period_from
from sandbox.billing.proration_items import bill_difference, credit_unused_time
from sandbox.billing.subscription_billing import draft_invoice, interval_of, line_for, set_period
from sandbox.billing.subscription_shapes import NO_CANCELLATION, items_of, new_item, set_items
from sandbox.billing.subscriptions import emitting_change, plan, refresh, renews_at
from sandbox.billing.trial_ends import ends_without_method
from sandbox.protocol.errors import ApiError, no_such
from sandbox.store import Body


@dataclass(frozen=True)
class Collection:
    """How a change is charged: Stripe's proration_behavior, payment_behavior, proration_date, off_session."""

    proration_behavior: str = "create_prorations"
    payment_behavior: str = "allow_incomplete"
    proration_date: int | None = None
    off_session: bool = False

    @property
    def prorates(self) -> bool:
        return self.proration_behavior != "none"


@dataclass(frozen=True)
class ItemChange:
    """An item before and after a change; None where there was or is none."""

    before: Body | None
    after: Body | None

    @property
    def matters(self) -> bool:
        """Whether it changes what is billed."""
        if self.before is None or self.after is None:
            return True
        return (self.before["price"]["id"], self.before["quantity"]) != (
            self.after["price"]["id"],
            self.after["quantity"],
        )

    @property
    def changes_interval(self) -> bool:
        has_both = self.before is not None and self.after is not None
        return has_both and interval_of(self.before or {}) != interval_of(self.after or {})


def change_items(subscription: Body, wanted: Sequence[Body], *, resets_cycle: bool = False, **collection: Any) -> Body:
    """Change, add and remove items, and bill the difference.

    `wanted` are `{"id", "price", "quantity", "deleted", …}`: with an id an item is changed, without one it is added.
    `collection` are the fields of `Collection`. Another interval, or `resets_cycle`, begins a new period now and
    bills it at once.
    """
    terms = Collection(**collection)
    with clocks.time_of(subscription):
        with emitting_change(subscription), holding_back(subscription, terms.payment_behavior):
            moment = _moment_of_change(subscription, terms)
            before = copy.deepcopy(items_of(subscription))
            changes = [_apply(subscription, one, moment) for one in wanted]
            if not items_of(subscription):
                raise ApiError("A subscription must have at least one active plan.", param="items")
            if resets_cycle or any(change.changes_interval for change in changes):
                _begin_new_cycle(subscription, before, moment, terms)
            elif subscription["status"] in ("active", "past_due"):
                _prorate(subscription, [change for change in changes if change.matters], moment, terms)
            store.save(subscription)
        plan(subscription)
    return subscription


def _moment_of_change(subscription: Body, terms: Collection) -> int:
    if terms.proration_date is None:
        return clock.now()
    if not any(
        item["current_period_start"] <= terms.proration_date <= item["current_period_end"]
        for item in items_of(subscription)
    ):
        raise ApiError("Cannot specify a `proration_date` outside of the current period.", param="proration_date")
    return terms.proration_date


def _apply(subscription: Body, wanted: Body, moment: int) -> ItemChange:
    """Change one item of the stored list; the caller stores the subscription."""
    items = items_of(subscription)
    if wanted.get("id") is None:
        return _added(subscription, wanted, moment)
    item = next((one for one in items if one["id"] == wanted["id"]), None)
    if item is None:
        raise no_such("subscription_item", wanted["id"], param="items[id]")
    before = copy.deepcopy(item)
    if wanted.get("deleted"):
        set_items(subscription, [one for one in items if one["id"] != item["id"]])
        store.mark_deleted({"id": item["id"], "object": "subscription_item"})
        return ItemChange(before, None)
    item |= {key: value for key, value in wanted.items() if key not in ("id", "deleted")}
    return ItemChange(before, item)


def _added(subscription: Body, wanted: Body, moment: int) -> ItemChange:
    fields = {key: value for key, value in wanted.items() if key not in ("id", "deleted")}
    item = new_item(**fields)
    item["subscription"] = subscription["id"]
    if any(one["price"]["id"] == item["price"]["id"] for one in items_of(subscription)):
        raise ApiError(
            f"Cannot add multiple subscription items with the same plan: {item['price']['id']}", param="items"
        )
    if subscription["status"] == "trialing":
        set_period(item, Period(moment, subscription["trial_end"]))
    else:
        set_period(item, period_around(subscription["billing_cycle_anchor"], interval_of(item), moment))
    set_items(subscription, [*items_of(subscription), item])
    row = {"id": item["id"], "object": "subscription_item", "created": item["created"]}
    store.insert(row | {"subscription": subscription["id"]})
    return ItemChange(None, item)


def _prorate(subscription: Body, changes: Sequence[ItemChange], moment: int, terms: Collection) -> None:
    if not terms.prorates or not changes:
        return
    for change in changes:
        bill_difference(subscription, change.before, change.after, moment)
    if terms.proration_behavior == "always_invoice":
        invoice_now(subscription, [], terms)


def _begin_new_cycle(subscription: Body, before: Sequence[Body], moment: int, terms: Collection) -> None:
    """Begin a new period now and credit the paid rest of the old one. A trial continues unchanged."""
    if subscription["status"] == "trialing":
        return
    if terms.prorates and subscription["status"] in ("active", "past_due"):
        credit_unused_time(subscription, before, moment)
    start_cycle(subscription, moment)
    invoice_now(subscription, [line_for(subscription, item) for item in items_of(subscription)], terms)


def start_cycle(subscription: Body, moment: int) -> None:
    """Anchor a subscription at a moment, at which all its items begin a period. The caller stores it."""
    subscription["billing_cycle_anchor"] = moment
    for item in items_of(subscription):
        set_period(item, period_from(moment, interval_of(item), moment))
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = renews_at(subscription)


def invoice_now(subscription: Body, lines: Sequence[Body], terms: Collection) -> Body:
    """Bill the lines and pending items at once, and collect as the terms say. Returns the invoice."""
    is_sent = subscription["collection_method"] == "send_invoice"
    invoice = draft_invoice(subscription, lines, billing_reason="subscription_update", auto_advance=is_sent)
    store.save(subscription)
    if not is_sent:
        _collect(subscription, invoice, terms)
    refresh(subscription)
    return invoice


def _collect(subscription: Body, invoice: Body, terms: Collection) -> None:
    invoices.finalize_invoice(invoice, auto_advance=True, collects_later=False)
    if invoice["status"] != "open":
        return
    if terms.payment_behavior == "default_incomplete":
        store.save(refresh(subscription) | {"status": "past_due"})
        return
    attempt = invoices.pay_invoice(invoice, off_session=terms.off_session)
    if attempt.error and (terms.payment_behavior == "error_if_incomplete" or attempt.error.message == NO_METHOD):
        raise undone(attempt.error)


def undone(error: ApiError) -> ApiError:
    """The error of an attempt whose changes must be rolled back."""
    details = {key: value for key, value in error.details.items() if key not in ("charge", "payment_intent")}
    return ApiError(
        error.message,
        status=error.status,
        kind=error.kind,
        code=error.code,
        param=error.param,
        is_executed=True,
        details=details,
    )


def set_cancellation(
    subscription: Body, *, at_period_end: bool = False, at: int | str | None = None, details: Body | None = None
) -> None:
    """Plan the end of a subscription, or none when neither is given; the caller stores it."""
    if not at_period_end and at is None:
        subscription |= {"cancel_at": None, "cancel_at_period_end": False, "canceled_at": None}
        subscription["cancellation_details"] = NO_CANCELLATION | (details or {})
        return
    moments = {"max_period_end": max, "min_period_end": min}
    ends = [item["current_period_end"] for item in items_of(subscription)]
    moment = moments[at](ends) if isinstance(at, str) else at
    if moment is not None and moment <= clock.now():
        raise ApiError("`cancel_at` must be in the future.", param="cancel_at")
    subscription |= {
        "cancel_at": renews_at(subscription) if moment is None else moment,
        "cancel_at_period_end": at_period_end,
        "canceled_at": clock.now(),
    }
    known = subscription["cancellation_details"] or NO_CANCELLATION
    subscription["cancellation_details"] = known | (details or {}) | {"reason": "cancellation_requested"}


def end_trial_now(subscription: Body, terms: Collection) -> None:
    """End a trial early and begin the first paid period; the caller stores the subscription."""
    now = clock.now()
    if ends_without_method(subscription):
        subscription["trial_end"] = now
        for item in items_of(subscription):
            set_period(item, Period(item["current_period_start"], now))
        return
    subscription |= {"status": "active", "trial_end": now}
    start_cycle(subscription, now)
    invoice_now(subscription, [line_for(subscription, item) for item in items_of(subscription)], terms)


def start_trial(subscription: Body, trial_end: int, terms: Collection) -> None:
    """Start a trial until `trial_end`, which becomes the anchor; credit time already paid. The caller stores it."""
    now = clock.now()
    if trial_end <= now:
        raise ApiError("Invalid timestamp: must be an integer Unix timestamp in the future.", param="trial_end")
    if terms.prorates and subscription["status"] in ("active", "past_due"):
        credit_unused_time(subscription, copy.deepcopy(items_of(subscription)), now)
    is_running = subscription["status"] == "trialing"
    subscription |= {
        "billing_cycle_anchor": trial_end,
        "status": "trialing",
        "trial_end": trial_end,
        "trial_start": subscription["trial_start"] if is_running else now,
    }
    for item in items_of(subscription):
        set_period(item, Period(item["current_period_start"] if is_running else now, trial_end))
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = trial_end
