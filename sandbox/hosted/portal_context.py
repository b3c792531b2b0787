"""The template contexts of the billing portal's pages."""

from datetime import UTC, datetime
from typing import Any

from sandbox import store
from sandbox.billing.invoice_lines import product_name
from sandbox.billing.subscription_shapes import items_of
from sandbox.hosted.portal_card import CardForm
from sandbox.payments.published_cards import GROUPS
from sandbox.portal import actions
from sandbox.portal.sessions import current_subscriptions
from sandbox.protocol.money import written
from sandbox.store import Body

SHOWN_INVOICES = 24
FEEDBACK = {
    "customer_service": "Customer service was less than expected",
    "low_quality": "Quality was less than expected",
    "missing_features": "Some features are missing",
    "other": "Other reason",
    "switched_service": "I'm switching to a different service",
    "too_complex": "Ease of use was less than expected",
    "too_expensive": "It's too expensive",
    "unused": "I don't use the service enough",
}
WORDS = {
    "cancelled": "Your subscription has been cancelled.",
    "resumed": "Your subscription continues.",
    "changed": "Your plan has been changed.",
    "card": "Your card has been saved.",
    "default": "Your default card has been changed.",
    "removed": "The card has been removed.",
    "details": "Your details have been saved.",
    "flow": "All done. Thank you.",
}


def _common(session: Body) -> dict[str, Any]:
    configuration = store.fetch("billing_portal.configuration", session["configuration"])
    return {
        "session": session,
        "configuration": configuration,
        "features": configuration["features"],
        "address": f"/p/session/{session['_token']}",
        "words": WORDS,
    }


def home_context(session: Body) -> dict[str, Any]:
    """The context of the home page: subscriptions, cards, details and invoices."""
    common = _common(session)
    configuration = common["configuration"]
    customer = store.fetch("customer", session["customer"])
    subscriptions = current_subscriptions(customer["id"])
    invoices = store.rows("invoice").filter(customer=customer["id"]).exclude(status="draft")
    bodies = invoices.order_by("-sequence").values_list("body", flat=True)[:SHOWN_INVOICES]
    return common | {
        "customer": customer,
        "subscriptions": [_subscription(one, configuration) for one in subscriptions],
        "methods": _methods(customer, subscriptions),
        "editable": set(configuration["features"]["customer_update"]["allowed_updates"]),
        "invoices": [_invoice(invoice) for invoice in bodies],
    }


def flow_context(session: Body, view: str, subscription_id: str) -> dict[str, Any]:
    """The context of a flow: cancel, change, or add a card. Raises actions.NotAllowed."""
    common = _common(session)
    configuration = common["configuration"]
    if view == "card":
        actions.require(configuration, "payment_method_update")
        return common | {"form": CardForm({}), "card_groups": GROUPS}
    subscription = actions.subscription_of(session, subscription_id)
    shown = _subscription(subscription, configuration)
    if view == "cancel":
        settings = actions.require(configuration, "subscription_cancel")
        reasons = settings["cancellation_reason"]
        options = [(key, FEEDBACK[key]) for key in reasons["options"]] if reasons["enabled"] else []
        return common | {"subscription": shown, "is_at_once": settings["mode"] == "immediately", "reasons": options}
    prices = actions.allowed_prices(configuration, subscription)
    return common | {
        "subscription": shown,
        "prices": [{"id": price["id"], "name": _named(price)} for price in prices],
        "chosen": _chosen(session),
    }


def _chosen(session: Body) -> str:
    """The price that a flow preselects, or an empty string."""
    confirm = (session["flow"] or {}).get("subscription_update_confirm") or {"items": []}
    return next((item["price"] for item in confirm["items"] if item["price"]), "")


def day(moment: int) -> str:
    """Format a date: 5 March 2026."""
    return f"{datetime.fromtimestamp(moment, UTC):%-d %B %Y}"


def _named(price: Body) -> str:
    recurring = price["recurring"] or {"interval": "", "interval_count": 1}
    count, interval = recurring["interval_count"], recurring["interval"]
    every = f"per {interval}" if count == 1 else f"every {count} {interval}s"
    amount = written(price["unit_amount"], price["currency"]) if price["unit_amount"] is not None else ""
    return f"{product_name(price)}, {amount} {every}".strip()


def _subscription(subscription: Body, configuration: Body) -> dict[str, Any]:
    items = items_of(subscription)
    renewal = min(item["current_period_end"] for item in items)
    end = subscription["cancel_at"]
    return {
        "id": subscription["id"],
        "names": [
            _named(item["price"]) + (f" × {item['quantity']}" if item["quantity"] != 1 else "") for item in items
        ],
        "status": subscription["status"].replace("_", " "),
        "ends": day(end) if end else "",
        "renews": "" if end else day(renewal),
        "is_trial": subscription["status"] == "trialing",
        "can_change": bool(actions.allowed_prices(configuration, subscription)) and not end,
        "can_cancel": configuration["features"]["subscription_cancel"]["enabled"] and not end,
        "can_resume": configuration["features"]["subscription_cancel"]["enabled"]
        and bool(subscription["cancel_at_period_end"]),
    }


def _methods(customer: Body, subscriptions: list[Body]) -> list[dict[str, Any]]:
    default = customer["invoice_settings"]["default_payment_method"]
    defaults = {default} if default else {one["default_payment_method"] for one in subscriptions}
    rows = store.rows("payment_method").filter(customer=customer["id"]).order_by("-sequence")
    return [
        {"id": method["id"], "label": _label(method), "is_default": method["id"] in defaults}
        for method in rows.values_list("body", flat=True)
    ]


def _label(method: Body) -> str:
    details = method[method["type"]]
    if method["type"] == "card":
        expiry = f"{details['exp_month']:02d}/{details['exp_year'] % 100:02d}"
        return f"{details['display_brand'].capitalize()} ending in {details['last4']}, expires {expiry}"
    return f"Bank account ending in {details['last4']}"


def _invoice(invoice: Body) -> dict[str, Any]:
    return {
        "number": invoice["number"] or invoice["id"],
        "day": day(invoice["created"]),
        "total": written(invoice["total"], invoice["currency"]),
        "status": invoice["status"],
        "url": invoice["hosted_invoice_url"],
    }
