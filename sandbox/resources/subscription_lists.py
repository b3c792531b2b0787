"""Lists of all subscriptions and of a customer's subscriptions (docs: "List subscriptions")."""

from typing import Any

from sandbox import store
from sandbox.billing.subscription_shapes import items_of
from sandbox.billing.subscriptions import ENDED
from sandbox.protocol.listing import page
from sandbox.protocol.published import published
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.protocol.routing import Call, route
from sandbox.resources.subscriptions import SUBSCRIPTION
from sandbox.store import Body


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
        rows = rows.filter(object_id__in=_with_items(by_items))
    return page(SUBSCRIPTION, call, url="/v1/subscriptions", rows=rows)


def _with_items(bounds: Body) -> list[str]:
    """Ids of subscriptions with an item that has the given price and whose period begins and ends within bounds."""
    bodies = store.rows("subscription").values_list("body", flat=True)
    return [body["id"] for body in bodies if any(_matches(item, bounds) for item in items_of(body))]


def _matches(item: Body, bounds: Body) -> bool:
    price = bounds.get("price")
    moments = (name for name in ("current_period_end", "current_period_start") if name in bounds)
    return price in (None, item["price"]["id"]) and all(_is_within(item[name], bounds[name]) for name in moments)


def _is_within(moment: int, bounds: Any) -> bool:
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
