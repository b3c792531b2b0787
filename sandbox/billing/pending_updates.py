"""Changes to a subscription that wait until they are paid (docs: "Pending updates").

The change is made and billed like any other. If its invoice is not paid at once, the subscription is restored, and the
change waits: `pending_update` shows it, and the note `_pending` holds its result.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox import clock, store
from sandbox.billing import clocks, invoices
from sandbox.billing.invoices import Outcome
from sandbox.billing.subscription_shapes import items_of
from sandbox.billing.subscriptions import emitting_change, plan, renews_at
from sandbox.schedule import step, unschedule
from sandbox.store import Body

PENDING = "pending_if_incomplete"
HOURS = 23
# Fields that the update changes in any case.
_STAYS = ("latest_invoice", "pending_update")


@contextmanager
def holding_back(subscription: Body, payment_behavior: str) -> Iterator[None]:
    """Let a block change a subscription; postpone the change if its invoice stays open. The caller emits the event."""
    if payment_behavior != PENDING or subscription.get("_is_held_back"):
        yield
        return
    if subscription.get("_pending"):
        _give_up(subscription)
    before = copy.deepcopy(subscription)
    store.save(subscription | {"_is_held_back": True})
    subscription["_is_held_back"] = True
    yield
    subscription.pop("_is_held_back", None)
    invoice = store.find("invoice", subscription["latest_invoice"] or "")
    if invoice and invoice["id"] != before["latest_invoice"] and invoice["status"] == "open":
        _put_off(subscription, before, invoice)
    store.save(subscription)


def _put_off(subscription: Body, before: Body, invoice: Body) -> None:
    names = [name for name in before if name[0] != "_" and name not in _STAYS and before[name] != subscription[name]]
    wanted = {name: subscription[name] for name in names}
    subscription |= {name: before[name] for name in names}
    _revive_rows(subscription)
    expires_at = min(clock.now() + HOURS * 3600, renews_at(subscription))
    subscription |= {
        "pending_update": _shown(wanted, expires_at),
        "_pending": {"invoice": invoice["id"], "wanted": wanted},
    }
    store.save(invoice | {"_is_of_pending_update": True})
    clocks.schedule_in_time_of(subscription, "expire_pending_update", subscription["id"], at=expires_at)


def _shown(wanted: Body, expires_at: int) -> Body:
    items = items_of(wanted) if "items" in wanted else None
    shown: dict[str, Any] = {name: wanted.get(name) for name in ("billing_cycle_anchor", "trial_end")}
    shown |= {name: wanted[name] for name in ("discounts", "metadata") if name in wanted}
    return shown | {"expires_at": expires_at, "subscription_items": items, "trial_from_plan": None}


def _revive_rows(subscription: Body) -> None:
    """Restore the rows of items that a change had removed, so that the items' addresses work again."""
    for item in items_of(subscription):
        row = store.fetch("subscription_item", item["id"])
        if row.get("deleted"):
            row = {"id": item["id"], "object": "subscription_item", "created": item["created"]}
            store.revive(row | {"subscription": subscription["id"]})


def follow_pending(subscription: Body, invoice: Body, outcome: Outcome) -> None:
    """Apply a pending change whose invoice was paid, or give it up if the invoice was voided."""
    pending = subscription.get("_pending") or {}
    if pending.get("invoice") != invoice["id"] or outcome not in ("paid", "voided"):
        return
    is_paid = outcome == "paid"
    unschedule("expire_pending_update", subscription["id"])
    with emitting_change(subscription, f"customer.subscription.pending_update_{'applied' if is_paid else 'expired'}"):
        del subscription["_pending"]
        subscription |= (pending["wanted"] if is_paid else {}) | {"pending_update": None}
    plan(subscription)


def _give_up(subscription: Body) -> None:
    """Void the invoice of a pending change; `follow_pending` then gives the change up."""
    invoice = store.fetch("invoice", subscription["_pending"]["invoice"])
    if invoice["status"] == "open":
        invoices.void_invoice(invoice)
        stored = store.fetch("subscription", subscription["id"])
        subscription.pop("_pending", None)
        subscription.update(stored)


@step("expire_pending_update")
def expire_when_due(subscription_id: str) -> None:
    """Give up a change that was not paid in time."""
    subscription = store.fetch("subscription", subscription_id)
    if subscription.get("_pending"):
        _give_up(subscription)
