"""Subscriptions over the API (docs: "The Subscription object")."""

from sandbox.billing import clocks, dunning, subscription_ending
from sandbox.billing.subscribing import start_subscription
from sandbox.billing.subscription_shapes import shown_subscription
from sandbox.billing.subscription_updates import resume_paused, update_subscription
from sandbox.billing.subscriptions import ENDED
from sandbox.protocol.errors import ApiError, missing_parameter, no_such, not_in_sandbox_yet
from sandbox.protocol.parameters import Hash, Integer
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.resources.subscription_parameters import (
    collection_of,
    new_items,
)
from sandbox.resources.subscription_terms import change_of, terms_of
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
ITEM = ("items.plan", "items.price", "items.price_data", "items.quantity", "items.metadata", "items.tax_rates")
COMMON = (
    "application_fee_percent", "automatic_tax.enabled", "cancel_at", "cancel_at_period_end", "collection_method",
    "days_until_due", "default_payment_method", "default_tax_rates", "description", "discounts",
    "invoice_settings.description", "invoice_settings.footer", "metadata", "off_session", "on_behalf_of",
    "payment_behavior", "payment_settings.payment_method_types", "payment_settings.save_default_payment_method",
    "proration_behavior", "transfer_data", "trial_end", "trial_settings",
)  # fmt: skip
DAYS_UNTIL_DUE = Integer(0, 1000)
ANCHOR_CONFIG = Hash(
    {
        "day_of_month": Integer(1, 31),
        "hour": Integer(0, 23),
        "minute": Integer(0, 59),
        "month": Integer(1, 12),
        "second": Integer(0, 59),
    },
    required=("day_of_month",),
)


@route(
    "POST",
    "/v1/subscriptions",
    published(
        "SubscriptionCreateParams", *COMMON, *ITEM, "add_invoice_items", "backdate_start_date", "billing_cycle_anchor", "billing_mode.type",
        "currency", "customer", "trial_from_plan", billing_cycle_anchor_config=ANCHOR_CONFIG,
        days_until_due=DAYS_UNTIL_DUE, trial_period_days=Integer(1, 730),
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
        terms = terms_of(call, customer, items)
        return start_subscription(customer, items, **terms).subscription


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
        return update_subscription(subscription, change_of(call, subscription), collection_of(call.params))


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
