"""Prices (docs: "The Price object")."""

from sandbox import store
from sandbox.billing.catalogue import create_price, create_product, emit_price_event, price_change
from sandbox.billing.plan_shape import plan_of
from sandbox.billing.pricing import option_in
from sandbox.protocol.errors import ApiError
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.protocol.search import search_route
from sandbox.store import Body


def _currency_options(price: Body) -> Body:
    stored = store.fetch("price", price["id"])
    return {code: option_in(stored, code) for code in (stored["currency"], *stored.get("_currency_options", {}))}


def _tiers(price: Body) -> list[Body] | None:
    return store.fetch("price", price["id"]).get("_tiers")


PRICE = register(
    Resource(
        "price",
        references={"product": "product"},
        computed={"currency_options": _currency_options, "tiers": _tiers},
        filters={
            "product": "product",
            "active": "body__active",
            "type": "subtype",
            "currency": "body__currency",
            "lookup_keys": "source",
        },
    )
)
search_route(PRICE, "/v1/prices", ("active", "currency", "lookup_key", "metadata", "product", "type"))
LOOKUP_KEY = Text(max_length=200, clearable=True)
NICKNAME = Text(clearable=True)


@route(
    "POST",
    "/v1/prices",
    published(
        "PriceCreateParams", "active", "billing_scheme", "currency", "currency_options", "custom_unit_amount",
        "metadata", "product", "product_data", "recurring.interval", "recurring.interval_count",
        "recurring.trial_period_days", "recurring.usage_type", "tax_behavior", "tiers", "tiers_mode",
        "transfer_lookup_key", "transform_quantity", "unit_amount", "unit_amount_decimal",
        lookup_key=LOOKUP_KEY, nickname=NICKNAME,
    ),
)  # fmt: skip
def create(call: Call) -> Body:
    skipped = ("expand", "product_data", "product", "transfer_lookup_key")
    fields = {key: value for key, value in call.params.items() if key not in skipped}
    if (fields.get("recurring") or {}).get("usage_type") == "metered":
        raise ApiError(
            "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
            param="recurring[usage_type]",
        )
    if "product_data" in call.params and "product" in call.params:
        raise ApiError("You may only specify one of these parameters: product, product_data.", param="product")
    if "product_data" in call.params:
        data = call["product_data"]
        product = create_product(**data | {"metadata": merge_metadata({}, data.get("metadata"))})
    elif "product" in call.params:
        product = fetch_from_parameter("product", call["product"], param="product")
    else:
        raise ApiError("You must specify either `product` or `product_data` when creating a price.")
    _claim_lookup_key(call, for_price=None)
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    return create_price(product=product["id"], **fields)


def _claim_lookup_key(call: Call, *, for_price: str | None) -> None:
    """Make a lookup key free for this price: transferring takes it from another price (docs: "Manage prices")."""
    lookup_key = call.get("lookup_key")
    if not lookup_key:
        return
    holders = store.rows("price").filter(source=lookup_key).exclude(object_id=for_price or "")
    for holder in list(holders.values_list("body", flat=True)):
        if not call.get("transfer_lookup_key"):
            raise ApiError(
                f"A price (`{holder['id']}`) already uses that lookup key.", param="lookup_key", is_executed=True
            )
        holder["lookup_key"] = None
        store.save(holder)
        emit_price_event(holder, "updated", previous={"lookup_key": lookup_key})


@route(
    "GET",
    "/v1/prices",
    published(
        "PriceListParams", "active", "created", "currency", "ending_before", "limit", "lookup_keys", "product",
        "recurring", "starting_after", "type",
    ),
)  # fmt: skip
def list_prices(call: Call) -> Body:
    rows = store.rows("price")
    for name, value in (call.get("recurring") or {}).items():
        rows = rows.filter(**{f"body__recurring__{name}": value})
    return page(PRICE, call, url="/v1/prices", rows=rows)


@route("GET", "/v1/prices/:price")
def retrieve(call: Call) -> Body:
    return existing_price(call.ids["price"], param="price")


def existing_price(price_id: str, *, param: str) -> Body:
    """The price with this id, from the URL. Raises Stripe's 404 if it is missing or was deleted as a plan."""
    price = fetch_from_url(PRICE, price_id, param=param)
    if price.get("deleted"):
        raise ApiError(f"No such {param}: '{price_id}'", status=404, code="resource_missing", param=param)
    return price


@route(
    "POST",
    "/v1/prices/:price",
    published(
        "PriceUpdateParams", "active", "currency_options", "metadata", "tax_behavior", "transfer_lookup_key",
        lookup_key=LOOKUP_KEY, nickname=NICKNAME,
    ),
)  # fmt: skip
def update(call: Call) -> Body:
    price = existing_price(call.ids["price"], param="price")
    _claim_lookup_key(call, for_price=price["id"])
    change = price_change(
        price, {key: value for key, value in call.params.items() if key not in ("expand", "transfer_lookup_key")}
    )
    previous = {key: price.get(key) for key in change if price.get(key) != change[key]}
    if previous:
        before = plan_of(price) if price["recurring"] else {}
        price |= change
        store.save(price)
        shown = {key: value for key, value in previous.items() if not key.startswith("_")}
        after = plan_of(price) if price["recurring"] else {}
        plan_previous = {key: value for key, value in before.items() if after[key] != value}
        emit_price_event(price, "updated", previous=shown, plan_previous=plan_previous)
    return price
