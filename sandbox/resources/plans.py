"""Plans, the older format of recurring prices (docs: "The Plan object"). Only the price is stored."""

from sandbox import store
from sandbox.billing.catalogue import create_price, create_product, emit_price_event, price_change
from sandbox.billing.plan_shape import plan_of
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, register
from sandbox.protocol.routing import Call, route
from sandbox.resources.prices import PRICE, existing_price
from sandbox.store import Body
from sandbox.webhooks.events import emit

PLAN = register(
    Resource(
        "plan",
        references={"product": "product"},
        computed={"tiers": lambda plan: store.fetch("price", plan["id"]).get("_tiers")},
    )
)
RECURRING = ("interval", "interval_count", "trial_period_days", "usage_type")


@route(
    "POST",
    "/v1/plans",
    published(
        "PlanCreateParams", "active", "amount", "amount_decimal", "billing_scheme", "currency", "interval",
        "interval_count", "metadata", "nickname", "product", "tiers", "tiers_mode", "transform_usage",
        "trial_period_days", "usage_type", id=Text(max_length=200),
    ),
)  # fmt: skip
def create(call: Call) -> Body:
    if call.get("usage_type") == "metered":
        raise ApiError(
            "Starting with Stripe version `2025-03-31.basil`, metered prices must be backed by meters.",
            param="usage_type",
        )
    if "product" not in call.params:
        raise missing_parameter("product")
    if "id" in call.params and store.find("price", call["id"]):
        raise ApiError("Plan already exists.", code="resource_already_exists", is_executed=True)
    names = {"amount": "unit_amount", "amount_decimal": "unit_amount_decimal", "transform_usage": "transform_quantity"}
    skipped = ("expand", "product", *RECURRING)
    fields = {names.get(key, key): value for key, value in call.params.items() if key not in skipped}
    fields["metadata"] = merge_metadata({}, call.get("metadata"))
    recurring = {name: call[name] for name in RECURRING if name in call.params}
    return plan_of(create_price(product=_product(call["product"]), recurring=recurring, **fields))


def _product(given: Body | str) -> str:
    if isinstance(given, str):
        return str(fetch_from_parameter("product", given, param="product")["id"])
    return str(create_product(**given | {"metadata": merge_metadata({}, given.get("metadata"))})["id"])


@route("GET", "/v1/plans", published("PlanListParams", "active", "created", "ending_before", "limit", "product",
                                     "starting_after"))  # fmt: skip
def list_plans(call: Call) -> Body:
    found = page(PRICE, call, url="/v1/plans", rows=store.rows("price").filter(subtype="recurring"))
    return found | {"data": [plan_of(price) for price in found["data"]]}


@route("GET", "/v1/plans/:plan")
def retrieve(call: Call) -> Body:
    return plan_of(_named(call))


def _named(call: Call) -> Body:
    price = store.find("price", call.ids["plan"])
    if price is None or price.get("deleted") or not price["recurring"]:
        raise ApiError(f"No such plan: '{call.ids['plan']}'", status=404, code="resource_missing", param="plan")
    return existing_price(price["id"], param="plan")


@route(
    "POST",
    "/v1/plans/:plan",
    published("PlanUpdateParams", "active", "metadata", "product", "trial_period_days", nickname=Text(clearable=True)),
)
def update(call: Call) -> Body:
    price = _named(call)
    given = {key: value for key, value in call.params.items() if key not in ("expand", "trial_period_days")}
    if "product" in given:
        given["product"] = fetch_from_parameter("product", given["product"], param="product")["id"]
    change = price_change(price, given)
    if "trial_period_days" in call.params:
        change["recurring"] = price["recurring"] | {"trial_period_days": call["trial_period_days"]}
    previous = {key: price[key] for key in change if price[key] != change[key]}
    if previous:
        before = plan_of(price)
        price |= change
        store.save(price)
        plan_previous = {key: value for key, value in before.items() if plan_of(price)[key] != value}
        emit_price_event(price, "updated", previous=previous, plan_previous=plan_previous)
    return plan_of(price)


@route("DELETE", "/v1/plans/:plan")
def delete(call: Call) -> Body:
    """Delete a plan: new subscriptions cannot use it; existing ones keep it."""
    price = _named(call)
    plan = plan_of(price)
    store.mark_deleted(price)
    emit("plan.deleted", plan)
    emit("price.deleted", price)
    return {"id": plan["id"], "object": "plan", "deleted": True}
