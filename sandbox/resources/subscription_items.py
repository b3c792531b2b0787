"""Subscription items over the API (docs: "The Subscription Item object"). They are stored in their subscription."""

from sandbox import store
from sandbox.billing.subscription_changes import change_items
from sandbox.billing.subscription_shapes import items_of, shown_item
from sandbox.billing.subscriptions import ENDED
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.protocol.listing import page_of_items
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.subscription_parameters import collection_of, require_one_currency, wanted_item
from sandbox.store import Body

SUBSCRIPTION_ITEM = register(Resource("subscription_item"))
COMMON = (
    "metadata", "payment_behavior", "plan", "price", "price_data", "proration_behavior", "proration_date", "quantity",
    "tax_rates",
)  # fmt: skip


@route("POST", "/v1/subscription_items", published("SubscriptionItemCreateParams", *COMMON, "subscription"))
def create(call: Call) -> Body:
    subscription = fetch_from_parameter("subscription", call["subscription"], param="subscription")
    _require_running(subscription)
    wanted = {"quantity": 1} | _wanted(call, subscription)
    if "price" not in wanted:
        raise missing_parameter("price")
    change_items(subscription, [wanted], **collection_of(call.params))
    return shown_item(items_of(subscription)[-1])


@route(
    "GET",
    "/v1/subscription_items",
    published("SubscriptionItemListParams", "limit", "starting_after", "ending_before", "subscription"),
)
def list_items(call: Call) -> Body:
    subscription = fetch_from_parameter("subscription", call["subscription"], param="subscription")
    items = [shown_item(item) for item in items_of(subscription)]
    return page_of_items(items, call, url="/v1/subscription_items")


@route("GET", "/v1/subscription_items/:item", published("SubscriptionItemRetrieveParams"))
def retrieve(call: Call) -> Body:
    return shown_item(_named(call)[1])


@route("POST", "/v1/subscription_items/:item", published("SubscriptionItemUpdateParams", *COMMON, "off_session"))
def update(call: Call) -> Body:
    subscription, item = _named(call)
    _require_running(subscription)
    wanted = _wanted(call, subscription)
    if "metadata" in call.params:
        wanted["metadata"] = merge_metadata(item["metadata"], call["metadata"])
    change_items(subscription, [wanted | {"id": item["id"]}], **collection_of(call.params))
    return shown_item(next(one for one in items_of(subscription) if one["id"] == item["id"]))


@route(
    "DELETE",
    "/v1/subscription_items/:item",
    published("SubscriptionItemDeleteParams", "payment_behavior", "proration_behavior", "proration_date"),
)
def delete(call: Call) -> Body:
    subscription, item = _named(call)
    _require_running(subscription)
    change_items(subscription, [{"id": item["id"], "deleted": True}], **collection_of(call.params))
    return {"id": item["id"], "object": "subscription_item", "deleted": True}


def _named(call: Call) -> tuple[Body, Body]:
    """The item whose id is in the URL, with its subscription. Raises Stripe's 404."""
    row = store.find("subscription_item", call.ids["item"])
    subscription = store.find("subscription", row["subscription"]) if row and not row.get("deleted") else None
    for item in items_of(subscription) if subscription else ():
        if item["id"] == call.ids["item"]:
            return subscription or {}, item
    raise no_such("subscription_item", call.ids["item"], param="item", in_url=True)


def _wanted(call: Call, subscription: Body) -> Body:
    wanted = wanted_item({key: value for key, value in call.params.items() if key != "subscription"}, "")
    if "price" in wanted:
        require_one_currency([wanted["price"]], subscription["currency"])
    return wanted


def _require_running(subscription: Body) -> None:
    if subscription["status"] in ENDED:
        raise ApiError("A canceled subscription can only update its cancellation_details and metadata.")
