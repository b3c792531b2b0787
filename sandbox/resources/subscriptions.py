"""Subscriptions over the API (docs: "The Subscription object")."""

from typing import Any

from sandbox import store
from sandbox.billing import clocks, dunning, subscription_ending
from sandbox.billing.item_parameters import item_facts
from sandbox.billing.subscribing import start_subscription
from sandbox.billing.subscription_shapes import items_of, shown_subscription
from sandbox.billing.subscription_updates import resume_paused, update_subscription
from sandbox.billing.subscriptions import ENDED
from sandbox.protocol.errors import ApiError, missing_parameter, no_such, not_in_sandbox_yet
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Integer, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.subscription_parameters import (
    changed_items,
    chosen_discounts,
    collection_of,
    method_of_customer,
    near_future,
    new_items,
    require_one_currency,
    tax_rates,
)
from sandbox.store import Body

__all__ = ["SUBSCRIPTION", "dunning"]
SUBSCRIPTION = register(
    Resource(
        "subscription",
        references={
            "customer": "customer",
            "default_payment_method": "payment_method",
            "discounts": "discount",
            "latest_invoice": "invoice",
            "on_behalf_of": "account",
            "pending_setup_intent": "setup_intent",
            "schedule": "subscription_schedule",
            "test_clock": clocks.CLOCK,
        },
        filters={
            "collection_method": "body__collection_method",
            "customer": "customer",
            "test_clock": "body__test_clock",
        },
        present=shown_subscription,
    )
)
search_route(SUBSCRIPTION, "/v1/subscriptions", ("created", "metadata", "status"))
ITEM = ("items.price", "items.price_data", "items.quantity", "items.metadata", "items.tax_rates")
COMMON = (
    "automatic_tax.enabled", "cancel_at", "cancel_at_period_end", "collection_method", "days_until_due",
    "default_payment_method", "default_tax_rates", "description", "discounts", "invoice_settings.description",
    "invoice_settings.footer", "metadata", "off_session", "payment_behavior", "payment_settings.payment_method_types",
    "payment_settings.save_default_payment_method", "proration_behavior", "trial_end", "trial_settings",
)  # fmt: skip
DAYS_UNTIL_DUE = Integer(0, 1000)


@route(
    "POST",
    "/v1/subscriptions",
    published(
        "SubscriptionCreateParams", *COMMON, *ITEM, "add_invoice_items", "billing_cycle_anchor", "billing_mode.type", "currency", "customer",
        "trial_from_plan", days_until_due=DAYS_UNTIL_DUE, trial_period_days=Integer(1, 730),
    ),
)  # fmt: skip
def create(call: Call) -> Body:
    if "customer" not in call.params:
        raise missing_parameter("customer")
    customer = fetch_from_parameter("customer", call["customer"], param="customer")
    if call.get("billing_mode", {}).get("type") == "classic":
        raise not_in_sandbox_yet("billing_mode[type]")
    with clocks.time_of(customer):
        items = new_items(call.get("items", []), currency=call.get("currency"))
        terms = _terms(call, customer, items) | _schedule(call)
        return start_subscription(customer, items, **terms).subscription


def _terms(call: Call, customer: Body, items: list[Body]) -> Body:
    collection_of(call.params)
    terms: Body = {name: call[name] for name in ("payment_behavior", "off_session", "trial_from_plan", "proration_behavior",
                                           "cancel_at_period_end") if name in call.params}  # fmt: skip
    if call.get("default_payment_method"):
        terms["payment_method"] = method_of_customer(call["default_payment_method"], customer["id"])
    extras = call.get("add_invoice_items", [])
    for index, extra in enumerate(extras):
        path, currency = f"add_invoice_items[{index}]", items[0]["price"]["currency"]
        if "price" not in extra and "price_data" not in extra:
            raise missing_parameter(f"{path}[price]")
        facts = item_facts(extra, customer=customer, currency=currency, path=path)
        terms.setdefault("one_off", []).append(facts)
    return terms | {
        "automatic_tax": call.get("automatic_tax", {}).get("enabled", False),
        "default_tax_rates": tax_rates(call.get("default_tax_rates"), "default_tax_rates"),
        "discounts": chosen_discounts(
            call.get("discounts"), customer=customer, prices=[item["price"] for item in items]
        ),
        "fields": _fields(call),
        "metadata": merge_metadata({}, call.get("metadata")),
    }


def _schedule(call: Call) -> Body:
    """When the subscription begins to cost, and when it ends."""
    given: Body = {"trial_days": call.get("trial_period_days")}
    if call.get("trial_end") not in (None, "now"):
        if given["trial_days"]:
            raise ApiError("You can only set one of `trial_end` and `trial_period_days`.", param="trial_period_days")
        given["trial_end"] = near_future(call["trial_end"], "trial_end")
    if "billing_cycle_anchor" in call.params:
        given["billing_cycle_anchor"] = near_future(call["billing_cycle_anchor"], "billing_cycle_anchor")
    if call.get("cancel_at") is not None:
        if call.get("cancel_at_period_end"):
            raise ApiError(
                "You may only specify one of these parameters: cancel_at, cancel_at_period_end.", param="cancel_at"
            )
        given["cancel_at"] = _end_of(call["cancel_at"])
    return given


def _end_of(given: int | str) -> int | str:
    if given == "max_billed_until":
        raise not_in_sandbox_yet("cancel_at")
    return near_future(given, "cancel_at") if isinstance(given, int) else given


DEFAULTS: dict[str, Body] = {
    "invoice_settings": {
        "account_tax_ids": None,
        "custom_fields": None,
        "description": None,
        "footer": None,
        "issuer": {"type": "self"},
    },
    "payment_settings": {
        "payment_method_options": None,
        "payment_method_types": None,
        "save_default_payment_method": "off",
    },
}


def _fields(call: Call, current: Body | None = None) -> Body:
    """Parameters that go into the subscription as they are, hashes over what was there."""
    fields: Body = {name: call[name] for name in ("description", "trial_settings") if name in call.params}
    for name, default in DEFAULTS.items():
        if name in call.params:
            fields[name] = (current or {}).get(name, default) | call[name]
    method = call.get("collection_method", (current or {}).get("collection_method", "charge_automatically"))
    if "collection_method" in call.params:
        fields["collection_method"] = method
    days = call.get("days_until_due", (current or {}).get("days_until_due"))
    if method == "send_invoice" and days is None:
        raise ApiError(
            "You must pass `days_until_due` when `collection_method` is `send_invoice`.", param="days_until_due"
        )
    if method != "send_invoice" and "days_until_due" in call.params:
        raise ApiError(
            "You can only pass `days_until_due` when `collection_method` is `send_invoice`.", param="days_until_due"
        )
    if "collection_method" in call.params or "days_until_due" in call.params:
        fields["days_until_due"] = days if method == "send_invoice" else None
    return fields


def _named(call: Call) -> Body:
    return fetch_from_url(SUBSCRIPTION, call.ids["subscription"], param="id")


@route("GET", "/v1/subscriptions/:subscription", published("SubscriptionRetrieveParams"))
def retrieve(call: Call) -> Body:
    return _named(call)


@route(
    "POST",
    "/v1/subscriptions/:subscription",
    published(
        "SubscriptionUpdateParams", *COMMON, *ITEM, "items.id", "items.deleted", "billing_cycle_anchor",
        "cancellation_details.comment", "cancellation_details.feedback", "pause_collection", "proration_date",
        days_until_due=DAYS_UNTIL_DUE,
    ),
)  # fmt: skip
def update(call: Call) -> Body:
    subscription = _named(call)
    given = {name: value for name, value in call.params.items() if name != "expand"}
    if subscription["status"] in ENDED and set(given) - {"metadata", "cancellation_details"}:
        raise ApiError("A canceled subscription can only update its cancellation_details and metadata.")
    with clocks.time_of(subscription):
        return update_subscription(subscription, _change(call, subscription), collection_of(call.params))


def _change(call: Call, subscription: Body) -> Body:
    """What an update asks for, looked up and checked; the names are those of the parameters."""
    copied = ("cancel_at_period_end", "cancellation_details", "billing_cycle_anchor", "pause_collection")
    change: Body = {name: call[name] for name in copied if name in call.params}
    change["fields"] = _fields(call, subscription)
    customer = store.fetch("customer", subscription["customer"])
    if "metadata" in call.params:
        change["fields"]["metadata"] = merge_metadata(subscription["metadata"], call["metadata"])
    if "default_payment_method" in call.params:
        method = method_of_customer(call["default_payment_method"], customer["id"])
        change["fields"]["default_payment_method"] = method["id"]
    if "default_tax_rates" in call.params:
        change["fields"]["default_tax_rates"] = tax_rates(call["default_tax_rates"], "default_tax_rates")
    if "automatic_tax" in call.params:
        is_enabled = call["automatic_tax"]["enabled"]
        liability = {"type": "self"} if is_enabled else None
        change["fields"]["automatic_tax"] = subscription["automatic_tax"] | {
            "enabled": is_enabled,
            "liability": liability,
        }
    if "items" in call.params:
        change["items"] = changed_items(call["items"])
        prices = [item["price"] for item in change["items"] if "price" in item]
        require_one_currency(prices, subscription["currency"])
    if "discounts" in call.params:
        prices = [item["price"] for item in items_of(subscription)]
        change["discounts"] = chosen_discounts(call["discounts"], customer=customer, prices=prices)
    if "trial_end" in call.params:
        moment = call["trial_end"]
        change["trial_end"] = moment if moment == "now" else near_future(moment, "trial_end")
    if "cancel_at" in call.params:
        change["cancel_at"] = None if call["cancel_at"] in (None, "") else _end_of(call["cancel_at"])
    return change


@route(
    "DELETE",
    "/v1/subscriptions/:subscription",
    published(
        "SubscriptionCancelParams", "cancellation_details.comment", "cancellation_details.feedback", "invoice_now",
        "prorate",
    ),
)  # fmt: skip
def cancel(call: Call) -> Body:
    subscription = _named(call)
    if subscription["status"] in ENDED:
        raise no_such("subscription", subscription["id"], in_url=True)
    return subscription_ending.cancel(
        subscription,
        details=call.get("cancellation_details"),
        invoices_now=call.get("invoice_now", False),
        prorates=call.get("prorate", False),
    )


@route(
    "POST",
    "/v1/subscriptions/:subscription/resume",
    published("SubscriptionResumeParams", "billing_cycle_anchor", "proration_behavior", "proration_date"),
)
def resume(call: Call) -> Body:
    subscription = _named(call)
    if subscription["status"] != "paused":
        raise ApiError(
            f"Subscription must have a status of `paused` to be resumed; it is `{subscription['status']}`.",
            is_executed=True,
        )
    keeps_cycle = call.get("billing_cycle_anchor") == "unchanged"
    return resume_paused(subscription, keeps_cycle=keeps_cycle, collection=collection_of(call.params))


@route("DELETE", "/v1/subscriptions/:subscription/discount")
def delete_discount(call: Call) -> Body:
    subscription = _named(call)
    if not subscription["discounts"]:
        raise ApiError(
            f"No active discount for subscription: {subscription['id']}", status=404, code="resource_missing"
        )
    return subscription_ending.remove_discounts(subscription)


@route(
    "GET",
    "/v1/subscriptions",
    published(
        "SubscriptionListParams", "collection_method", "created", "current_period_end", "current_period_start",
        "customer", "limit", "starting_after", "ending_before", "price", "status", "test_clock",
    ),
)  # fmt: skip
def list_subscriptions(call: Call) -> Body:
    rows = store.rows("subscription")
    status = call.get("status")
    if status is None:
        rows = rows.exclude(status="canceled")
    elif status == "ended":
        rows = rows.filter(status__in=ENDED)
    elif status != "all":
        rows = rows.filter(status=status)
    if "customer" not in call.params and "test_clock" not in call.params:
        rows = rows.filter(body__test_clock=None)
    by_items: Body = {name: call[name] for name in ("price", "current_period_end", "current_period_start")
                if name in call.params}  # fmt: skip
    if by_items:
        rows = rows.filter(object_id__in=_having(by_items))
    return page(SUBSCRIPTION, call, url="/v1/subscriptions", rows=rows)


def _having(asked: Body) -> list[str]:
    """Ids of subscriptions with an item of a price, or with a period that begins or ends when asked."""
    bodies = store.rows("subscription").values_list("body", flat=True)
    return [body["id"] for body in bodies if any(_matches(item, asked) for item in items_of(body))]


def _matches(item: Body, asked: Body) -> bool:
    price = asked.get("price")
    moments = (name for name in ("current_period_end", "current_period_start") if name in asked)
    return price in (None, item["price"]["id"]) and all(_lies(item[name], asked[name]) for name in moments)


def _lies(moment: int, bounds: Any) -> bool:
    if not isinstance(bounds, dict):
        return bool(moment == bounds)
    compare = {"gt": moment.__gt__, "gte": moment.__ge__, "lt": moment.__lt__, "lte": moment.__le__}
    return all(compare[name](bound) for name, bound in bounds.items())


@route(
    "GET",
    "/v1/customers/:customer/subscriptions",
    published("SubscriptionListParams", "limit", "starting_after", "ending_before"),
)
def list_of_customer(call: Call) -> Body:
    customer = fetch_from_parameter("customer", call.ids["customer"], param="customer")
    url = f"/v1/customers/{customer['id']}/subscriptions"
    rows = store.rows("subscription").filter(customer=customer["id"]).exclude(status__in=ENDED)
    return page(SUBSCRIPTION, call, url=url, rows=rows)
