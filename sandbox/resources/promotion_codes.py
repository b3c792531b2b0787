"""Promotion codes, which buyers enter for a coupon (docs: "The Promotion Code object"). They are never deleted."""

import re

from sandbox import clock, identifiers, store
from sandbox.billing.discounts import is_active, is_valid, require_near_future
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Integer, Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_parameter, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body
from sandbox.webhooks.events import emit

_ALLOWED = re.compile(r"[a-zA-Z0-9\-_]+")


def _currency_options(code: Body) -> Body:
    stored = store.fetch("promotion_code", code["id"])
    restrictions = stored["restrictions"]
    own = restrictions["minimum_amount_currency"]
    options: Body = {own: {"minimum_amount": restrictions["minimum_amount"]}} if own else {}
    options |= stored["_restriction_options"]
    return options


def _with_activity(code: Body) -> Body:
    return code | {"active": is_active(code)}


PROMOTION_CODE = register(
    Resource(
        "promotion_code",
        label="promotion code",
        references={"customer": "customer", "promotion.coupon": "coupon"},
        computed={"restrictions.currency_options": _currency_options},
        filters={"coupon": "source", "customer": "customer"},
        present=_with_activity,
    )
)


@route(
    "POST",
    "/v1/promotion_codes",
    published(
        "PromotionCodeCreateParams", "active", "customer", "expires_at", "metadata", "promotion", "restrictions",
        code=Text(max_length=500), max_redemptions=Integer(1),
    ),
)  # fmt: skip
def create(call: Call) -> Body:
    coupon = _coupon(call["promotion"])
    customer = None
    if "customer" in call.params:
        customer = fetch_from_parameter("customer", call["customer"], param="customer")["id"]
    _check_limits(call, coupon)
    given = call.get("restrictions") or {}
    if ("minimum_amount" in given) != ("minimum_amount_currency" in given):
        raise missing_parameter("restrictions[minimum_amount_currency]" if "minimum_amount" in given
                                else "restrictions[minimum_amount]")  # fmt: skip
    code: Body = {
        "id": identifiers.new_id("promo_1", 23),
        "object": "promotion_code",
        "active": call.get("active", True),
        "code": _code_text(call.get("code")),
        "created": clock.now(),
        "customer": customer,
        "customer_account": None,
        "expires_at": call.get("expires_at"),
        "livemode": False,
        "max_redemptions": call.get("max_redemptions"),
        "metadata": merge_metadata({}, call.get("metadata")),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {
            "first_time_transaction": given.get("first_time_transaction", False),
            "minimum_amount": given.get("minimum_amount"),
            "minimum_amount_currency": given.get("minimum_amount_currency"),
        },
        "times_redeemed": 0,
        "_restriction_options": dict(given.get("currency_options") or {}),
    }
    if code["active"]:
        _require_unique(code)
    store.insert(code)
    emit("promotion_code.created", code)
    return code


def _coupon(promotion: Body) -> Body:
    if "coupon" not in promotion:
        raise ApiError("You must pass promotion.coupon when passing promotion", param="promotion.coupon")
    coupon = fetch_from_parameter("coupon", promotion["coupon"], param="promotion[coupon]")
    if not is_valid(coupon):
        raise ApiError(f"Coupon {coupon['id']} is not valid and cannot be promoted.", code="coupon_expired",
                       param="promotion[coupon]")  # fmt: skip
    return coupon


def _code_text(given: str | None) -> str:
    if given is not None and not _ALLOWED.fullmatch(given):
        raise ApiError(
            rf"This value must match the regex pattern. (/\A{_ALLOWED.pattern}\z/ does not match for the value {given}).",
            param="code",
        )
    return given or identifiers.token(8).upper()


def _check_limits(call: Call, coupon: Body) -> None:
    """Raise a 400 for limits that exceed those of the coupon."""
    expires_at, most = call.get("expires_at"), call.get("max_redemptions")
    if expires_at is not None:
        require_near_future(expires_at, "expires_at")
    if expires_at is not None and coupon["redeem_by"] is not None and expires_at > coupon["redeem_by"]:
        raise ApiError("`expires_at` cannot be later than the coupon's `redeem_by`.", param="expires_at")
    if most is not None and coupon["max_redemptions"] is not None and most > coupon["max_redemptions"]:
        raise ApiError("`max_redemptions` cannot be greater than the coupon's.", param="max_redemptions")


def _require_unique(code: Body) -> None:
    """Raise Stripe's 400 if the same active code exists, for all customers or for the same one; case is ignored."""
    rows = store.rows("promotion_code").filter(subtype=code["code"].lower()).exclude(object_id=code["id"])
    for other in rows.values_list("body", flat=True):
        if is_active(other) and (
            None in (other["customer"], code["customer"]) or other["customer"] == code["customer"]
        ):
            raise ApiError(
                f"An active promotion code with `code: {code['code']}` already exists.",
                is_executed=True,
            )


@route(
    "GET",
    "/v1/promotion_codes",
    published("PromotionCodeListParams", "active", "code", "coupon", "created", "customer", "ending_before", "limit",
              "starting_after"),
)  # fmt: skip
def list_codes(call: Call) -> Body:
    rows = store.rows("promotion_code")
    if "code" in call.params:
        rows = rows.filter(subtype=call["code"].lower())
    if "active" in call.params:
        # A code also becomes inactive when it or its coupon expires, so this cannot be filtered by a column.
        wanted = [body["id"] for body in rows.values_list("body", flat=True) if is_active(body) == call["active"]]
        rows = rows.filter(object_id__in=wanted)
    return page(PROMOTION_CODE, call, url="/v1/promotion_codes", rows=rows)


@route("GET", "/v1/promotion_codes/:promotion_code")
def retrieve(call: Call) -> Body:
    return fetch_from_url(PROMOTION_CODE, call.ids["promotion_code"], param="promotion_code")


@route(
    "POST",
    "/v1/promotion_codes/:promotion_code",
    published("PromotionCodeUpdateParams", "active", "metadata", "restrictions"),
)
def update(call: Call) -> Body:
    code = fetch_from_url(PROMOTION_CODE, call.ids["promotion_code"], param="promotion_code")
    before = {"active": is_active(code), "metadata": code["metadata"]}
    if call.get("active") and not before["active"]:
        _reactivate(code)
    elif "active" in call.params:
        code["active"] = call["active"]
    if "metadata" in call.params:
        code["metadata"] = merge_metadata(code["metadata"], call["metadata"])
    options = (call.get("restrictions") or {}).get("currency_options")
    if options:
        code["_restriction_options"] = code["_restriction_options"] | options
    store.save(code)
    after = {"active": is_active(code), "metadata": code["metadata"]}
    previous = {key: value for key, value in before.items() if value != after[key]}
    if previous or options:
        emit("promotion_code.updated", code, previous=previous)
    return code


def _reactivate(code: Body) -> None:
    """Activate a code. Raises a 400 if it can no longer be redeemed (docs: "Update a promotion code")."""
    code["active"] = True
    if not is_active(code):
        raise ApiError(
            "This promotion code cannot be activated because it or its coupon is no longer redeemable.",
            param="active",
            is_executed=True,
        )
    _require_unique(code)
