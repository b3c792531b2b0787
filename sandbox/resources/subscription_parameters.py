"""Parameters shared by calls for subscriptions and their items: items, discounts and tax rates."""

from collections.abc import Sequence
from typing import Any

from sandbox import clock, store
from sandbox.billing import discounts
from sandbox.billing.catalogue import create_price
from sandbox.billing.item_parameters import tax_rate
from sandbox.billing.pending_updates import PENDING
from sandbox.billing.periods import Interval, boundary
from sandbox.protocol.errors import ApiError, missing_parameter, no_such, not_in_sandbox_yet
from sandbox.protocol.parameters import Integer, merge_metadata
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body

FIVE_YEARS = Interval("year", 5)
MOST_ITEMS = 20
# The parameters that set an item's price; plan is the older name of a price.
PRICED_BY = ("plan", "price", "price_data")
MOST_UNITS = 1_000_000
# The parameters that a pending update may have (docs: "Pending updates").
CAN_WAIT = (
    "billing_cycle_anchor", "discounts", "expand", "items", "metadata", "off_session", "payment_behavior", "plan",
    "price", "price_data", "proration_behavior", "proration_date", "quantity", "subscription", "tax_rates",
    "trial_end", "trial_from_plan",
)  # fmt: skip
COLLECTION = ("proration_behavior", "payment_behavior", "proration_date", "off_session")


def collection_of(params: Body) -> Body:
    """The parameters of a call that determine how a change is charged."""
    if params.get("payment_behavior") == PENDING:
        for name in params:
            if name not in CAN_WAIT:
                raise ApiError(f"`{name}` cannot be passed when `payment_behavior` is `{PENDING}`.", param=name)
    return {name: params[name] for name in COLLECTION if name in params}


def near_future(moment: int, param: str) -> int:
    """The moment, checked. Raises Stripe's 400 if it is past or more than five years away."""
    if moment <= clock.now():
        raise ApiError("Invalid timestamp: must be an integer Unix timestamp in the future.", param=param)
    if moment > boundary(clock.now(), FIVE_YEARS, 1):
        raise ApiError("Invalid timestamp: can be no more than five years in the future.", param=param)
    return moment


def new_items(entries: Sequence[Body], *, currency: str | None = None) -> list[Body]:
    """The items of a new subscription. Raises Stripe's 400 for prices that cannot be combined."""
    if not entries:
        raise missing_parameter("items")
    if len(entries) > MOST_ITEMS:
        raise ApiError(f"A subscription can have at most {MOST_ITEMS} items.", param="items")
    items: list[Body] = [{"quantity": 1} | wanted_item(entry, f"items[{index}]") for index, entry in enumerate(entries)]
    seen: set[str] = set()
    for index, item in enumerate(items):
        if "price" not in item:
            raise missing_parameter(f"items[{index}][price]")
        if item["price"]["id"] in seen:
            raise ApiError(
                f"Cannot add multiple subscription items with the same plan: {item['price']['id']}", param="items"
            )
        seen.add(item["price"]["id"])
    require_one_currency([item["price"] for item in items], currency or items[0]["price"]["currency"])
    return items


def changed_items(entries: Sequence[Body]) -> list[Body]:
    """The items of an update. One without an id is new and needs a price."""
    items = []
    for index, entry in enumerate(entries):
        item = wanted_item(entry, f"items[{index}]")
        if "id" not in item:
            if "price" not in item:
                raise missing_parameter(f"items[{index}][price]")
            item = {"quantity": 1} | item
        items.append(item)
    return items


def require_one_currency(prices: Sequence[Body], currency: str) -> None:
    """Raise Stripe's 400 for a price in another currency than the subscription's."""
    for price in prices:
        if price["currency"] != currency:
            raise ApiError(
                f"The price specified supports currencies of `{price['currency']}`. This doesn't match the expected "
                f"currency: `{currency}`.",
                param="items",
            )


def wanted_item(entry: Body, param: str) -> Body:
    """The fields that were sent for an item, with its price and tax rates looked up."""
    named = {key: f"{param}[{key}]" if param else key for key in (*PRICED_BY, "quantity", "tax_rates")}
    wanted: Body = {key: entry[key] for key in ("id", "deleted", "quantity") if key in entry}
    if "quantity" in wanted:
        Integer(0, MOST_UNITS).read(str(wanted["quantity"]), named["quantity"])
    given = [key for key in PRICED_BY if key in entry]
    if len(given) > 1:
        raise ApiError(f"You may only specify one of these parameters: {', '.join(given)}.", param=named[given[-1]])
    if "plan" in entry:
        wanted["price"] = _subscribable(_of_plan(entry["plan"], named["plan"]), named["plan"])
    if "price" in entry:
        price = fetch_from_parameter("price", entry["price"], param=named["price"])
        wanted["price"] = _subscribable(price, named["price"])
    if "price_data" in entry:
        wanted["price"] = _inline_price(entry["price_data"], named["price_data"])
    if "metadata" in entry:
        wanted["metadata"] = merge_metadata({}, entry["metadata"])
    if "tax_rates" in entry:
        wanted["tax_rates"] = tax_rates(entry["tax_rates"], named["tax_rates"])
    return wanted


def _of_plan(plan_id: str, param: str) -> Body:
    """The price of a plan's id. Raises Stripe's 400 if it is missing or deleted."""
    price = store.find("price", plan_id)
    if price is None or price.get("deleted"):
        raise no_such("plan", plan_id, param=param)
    return price


def _subscribable(price: Body, param: str) -> Body:
    if price["type"] != "recurring":
        raise ApiError(
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
            param=param,
        )
    if not price["active"]:
        raise ApiError("The price specified is inactive. This field only accepts active prices.", param=param)
    if price["recurring"]["usage_type"] == "metered":
        raise not_in_sandbox_yet(param)
    return price


def _inline_price(data: Body, param: str) -> Body:
    product = fetch_from_parameter("product", data["product"], param=f"{param}[product]")
    fields: dict[str, Any] = {key: value for key, value in data.items() if key != "product"}
    return create_price(product=product["id"], announce=False, active=False, **fields)


def tax_rates(ids: Sequence[str] | None, param: str) -> list[Body]:
    """The tax rates with these ids."""
    return [tax_rate(rate, f"{param}[{index}]") for index, rate in enumerate(ids or ())]


def chosen_discounts(entries: Sequence[Body] | None, *, customer: Body, prices: Sequence[Body]) -> list[Body]:
    """The coupons, promotion codes and discounts named in `discounts`, checked."""
    currency = prices[0]["currency"]
    return [
        discounts.chosen(entry, amount=None, currency=currency, customer=customer, param=f"discounts[{index}]")
        for index, entry in enumerate(entries or ())
    ]


def method_of_customer(method_id: str, customer_id: str) -> Body:
    """A payment method of the subscription's customer. Raises Stripe's 400 if it is not attached to that customer."""
    method = store.find("payment_method", method_id)
    if method is None or method["customer"] != customer_id:
        raise ApiError(
            f"The customer does not have a payment method with the ID {method_id}. The payment method must be "
            "attached to the customer.",
            code="resource_missing",
            param="default_payment_method",
        )
    return method
