"""Coupons (docs: "The Coupon object")."""

from sandbox import clock, identifiers, store
from sandbox.billing.discounts import is_valid, require_near_future
from sandbox.protocol.errors import ApiError, no_such
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import emit

NAME = Text(max_length=40, clearable=True)
LEAST_PERCENT, MOST_PERCENT = 0.01, 100


def _applies_to(coupon: Body) -> Body | None:
    products = store.fetch("coupon", coupon["id"]).get("_products")
    return {"products": products} if products else None


def _currency_options(coupon: Body) -> Body | None:
    if coupon["amount_off"] is None:
        return None
    options: Body = {coupon["currency"]: {"amount_off": coupon["amount_off"]}}
    options |= store.fetch("coupon", coupon["id"])["_currency_options"]
    return options


def _with_validity(coupon: Body) -> Body:
    """The coupon with its current validity, which ends when `redeem_by` has passed."""
    return coupon if coupon.get("deleted") else coupon | {"valid": is_valid(coupon)}


COUPON = register(
    Resource(
        "coupon",
        computed={"applies_to": _applies_to, "currency_options": _currency_options},
        present=_with_validity,
    )
)


@route(
    "POST",
    "/v1/coupons",
    published(
        "CouponCreateParams", "amount_off", "applies_to", "currency", "currency_options", "duration", "metadata",
        "percent_off", "redeem_by", duration_in_months=Integer(1, 240), id=Text(max_length=200),
        max_redemptions=Integer(1), name=NAME,
    ),
)  # fmt: skip
def create(call: Call) -> Body:
    _check_value(call)
    duration = call.get("duration") or "once"
    if duration == "repeating" and "duration_in_months" not in call.params:
        raise ApiError(
            "The duration_in_months param must be set when creating a coupon with a repeating duration",
            param="duration",
        )
    if duration != "repeating" and "duration_in_months" in call.params:
        raise ApiError(
            "The duration_in_months param can only be set with a repeating duration", param="duration_in_months"
        )
    if "redeem_by" in call.params:
        require_near_future(call["redeem_by"], "redeem_by")
    coupon_id = call.get("id") or identifiers.token(8)
    if _exists(coupon_id):
        raise ApiError("Coupon already exists.", code="resource_already_exists", is_executed=True)
    products = (call.get("applies_to") or {}).get("products") or []
    for index, product in enumerate(products):
        fetch_from_parameter("product", product, param=f"applies_to[products][{index}]")
    coupon: Body = {
        "id": coupon_id,
        "object": "coupon",
        **{name: call.get(name) for name in ("amount_off", "currency", "duration_in_months", "max_redemptions")},
        **{name: call.get(name) for name in ("name", "percent_off", "redeem_by")},
        "created": clock.now(),
        "duration": duration,
        "livemode": False,
        "metadata": merge_metadata({}, call.get("metadata")),
        "times_redeemed": 0,
        "valid": True,
        "_currency_options": dict(call.get("currency_options") or {}),
        "_products": products,
    }
    if coupon["percent_off"] is not None:
        coupon["currency"] = None
    _store(coupon)
    emit("coupon.created", coupon)
    return coupon


def _exists(coupon_id: str) -> bool:
    """Whether a coupon has this id; a deleted coupon's id may be used again."""
    found = store.find("coupon", coupon_id)
    return found is not None and not found.get("deleted")


def _store(coupon: Body) -> None:
    if store.find("coupon", coupon["id"]) is None:
        store.insert(coupon)
        return
    store.revive(coupon)


def _check_value(call: Call) -> None:
    percent, amount = call.get("percent_off"), call.get("amount_off")
    if percent is None and amount is None:
        raise ApiError("Must provide percent_off or amount_off.", code="parameter_missing")
    if percent is not None and amount is not None:
        raise ApiError("Received both percent_off and amount_off parameters. Please pass in only one.")
    if percent is not None and not LEAST_PERCENT <= percent <= MOST_PERCENT:
        bound = f"greater than or equal to {LEAST_PERCENT}" if percent < 1 else f"less than or equal to {MOST_PERCENT}"
        raise ApiError(f"This value must be {bound} (it currently is '{percent}').", param="percent_off")
    if amount is not None and amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount_off"
        )
    if amount is not None and "currency" not in call.params:
        raise ApiError("You must pass currency when passing amount_off", param="currency")
    if percent is not None and call.get("currency_options"):
        raise ApiError(
            "You may only specify one of these parameters: currency_options, percent_off.", param="currency_options"
        )


@route("GET", "/v1/coupons", published("CouponListParams", "created", "ending_before", "limit", "starting_after"))
def list_coupons(call: Call) -> Body:
    return page(COUPON, call, url="/v1/coupons")


@route("GET", "/v1/coupons/:coupon")
def retrieve(call: Call) -> Body:
    return _existing(call)


def _existing(call: Call) -> Body:
    coupon = fetch_from_url(COUPON, call.ids["coupon"], param="coupon")
    if coupon.get("deleted"):
        raise no_such("coupon", coupon["id"], param="coupon", in_url=True)
    return coupon


@route("POST", "/v1/coupons/:coupon", published("CouponUpdateParams", "currency_options", "metadata", name=NAME))
def update(call: Call) -> Body:
    coupon = _existing(call)
    change = {key: call[key] for key in ("name",) if key in call.params}
    if "metadata" in call.params:
        change["metadata"] = merge_metadata(coupon["metadata"], call["metadata"])
    previous = {key: coupon[key] for key in change if coupon[key] != change[key]}
    options = call.get("currency_options")
    if options and coupon["amount_off"] is None:
        raise ApiError("`currency_options` can only be passed with `amount_off`.", param="currency_options")
    if options:
        change["_currency_options"] = coupon["_currency_options"] | options
    coupon |= change
    store.save(coupon)
    if previous or options:
        emit("coupon.updated", coupon, previous=previous)
    return coupon


@route("DELETE", "/v1/coupons/:coupon")
def delete(call: Call) -> Body:
    """Delete a coupon: it can no longer be redeemed; existing discounts continue."""
    coupon = _existing(call)
    stub = store.mark_deleted(coupon)
    emit("coupon.deleted", coupon | {"valid": False})
    return stub
