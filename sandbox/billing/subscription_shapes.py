"""Subscriptions and their items as stored and as shown (docs: "The Subscription object").

Items are stored inside the subscription; an item's own row says only which one. An item's price is stored whole and
shown without the sandbox's notes.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.billing.periods import Period
from sandbox.billing.plan_shape import plan_of
from sandbox.protocol.resource import presented
from sandbox.store import Body

NO_CANCELLATION = {"comment": None, "feedback": None, "reason": None}
_NULL = (
    "application", "application_fee_percent", "billing_cycle_anchor_config", "billing_thresholds", "cancel_at",
    "canceled_at", "customer_account", "days_until_due", "default_payment_method", "default_source", "description",
    "ended_at", "latest_invoice", "next_pending_invoice_item_invoice", "on_behalf_of", "pause_collection",
    "pending_invoice_item_interval", "pending_setup_intent", "pending_update", "schedule", "transfer_data",
    "trial_end", "trial_start",
)  # fmt: skip


def new_subscription(customer: Body, items: Sequence[Body], **fields: Any) -> Body:
    """A subscription that is not stored yet; `items` are of `new_item`. It is incomplete until it is paid."""
    now = clock.now()
    subscription_id = identifiers.new_id("sub_1", 23)
    for item in items:
        item["subscription"] = subscription_id
    return {
        "id": subscription_id,
        "object": "subscription",
        **dict.fromkeys(_NULL),
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": now,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible", "updated_at": now},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": dict(NO_CANCELLATION),
        "collection_method": "charge_automatically",
        "created": now,
        "currency": items[0]["price"]["currency"],
        "customer": customer["id"],
        "default_tax_rates": [],
        "discounts": [],
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": _as_list(items, subscription_id),
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": {},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "start_date": now,
        "status": "incomplete",
        "test_clock": customer.get("test_clock"),
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        **fields,
    }


def new_item(price: Body, *, quantity: int | None = 1, period: Period | None = None, **fields: Any) -> Body:
    """An item that belongs to no subscription yet; `price` is stored whole."""
    now = clock.now()
    period = period or Period(now, now)
    return {
        "id": identifiers.new_id("si_", 14),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": now,
        "current_period_end": period.end,
        "current_period_start": period.start,
        "discounts": [],
        "metadata": {},
        "price": price,
        "quantity": quantity,
        "subscription": "",
        "tax_rates": [],
        **fields,
    }


def shown_item(item: Body) -> Body:
    """An item as clients see it."""
    price = store.find("price", item["price"]["id"]) or item["price"]
    price = item["price"] if price.get("deleted") else price
    shown = store.visible(item) | {"plan": plan_of(price), "price": presented(price)}
    if shown["quantity"] is None:
        del shown["quantity"]
    return shown


def shown_subscription(shown: Body) -> Body:
    """A subscription with its items as clients see them."""
    listed = shown["items"]
    items = [shown_item(item) for item in listed["data"]]
    # Fields for older clients: those of a single item, empty where there are several.
    only = items[0] if len(items) == 1 else {}
    update = shown["pending_update"]
    if update and update["subscription_items"]:
        update = update | {"subscription_items": [shown_item(item) for item in update["subscription_items"]]}
    return shown | {
        "items": listed | {"data": items},
        "pending_update": update,
        "plan": only.get("plan"),
        "quantity": only.get("quantity"),
    }


def items_of(subscription: Body) -> list[Body]:
    """The stored items of a subscription, in their order."""
    items: list[Body] = subscription["items"]["data"]
    return items


def set_items(subscription: Body, items: Iterable[Body]) -> None:
    """Replace a subscription's items; the caller stores both."""
    subscription["items"] = _as_list(list(items), subscription["id"])


def _as_list(items: Sequence[Body], subscription_id: str) -> Body:
    return {
        "object": "list",
        "data": list(items),
        "has_more": False,
        "total_count": len(items),
        "url": f"/v1/subscription_items?subscription={subscription_id}",
    }


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Body:
    """`previous_attributes`: old values of what changed, of a hash only the changed part, of a list all of it.

    Metadata are given whole; `emit` reduces them to the changed keys.
    """
    changed: Body = {}
    for name, old in before.items():
        new = after.get(name)
        if old == new:
            continue
        if name != "metadata" and isinstance(old, dict) and isinstance(new, dict):
            changed[name] = differences(old, new)
        else:
            changed[name] = old
    return changed
