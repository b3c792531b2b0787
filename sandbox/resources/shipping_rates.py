"""Shipping rates (docs: "The Shipping Rate object"). Stripe has no events for them."""

from sandbox import clock, identifiers, store
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Text, merge_metadata
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body


def _currency_options(rate: Body) -> Body:
    stored = store.fetch("shipping_rate", rate["id"])
    own = {"amount": stored["fixed_amount"]["amount"], "tax_behavior": stored["tax_behavior"]}
    options: Body = {stored["fixed_amount"]["currency"]: own} | stored["_currency_options"]
    return options


SHIPPING_RATE = register(
    Resource(
        "shipping_rate",
        references={"tax_code": "tax_code"},
        computed={"fixed_amount.currency_options": _currency_options},
        filters={"active": "body__active", "currency": "body__fixed_amount__currency"},
    )
)


def create_shipping_rate(given: Body) -> Body:
    """Create a rate from its parameters; Checkout also creates rates, from `shipping_rate_data`."""
    if "fixed_amount" not in given:
        raise missing_parameter("fixed_amount")
    fixed = given["fixed_amount"]
    if fixed["amount"] < 0:
        raise ApiError("This value must be greater than or equal to 0.", code="parameter_invalid_integer",
                       param="fixed_amount[amount]")  # fmt: skip
    estimate = given.get("delivery_estimate")
    return store.insert(
        {
            "id": identifiers.new_id("shr_1", 23),
            "object": "shipping_rate",
            "active": True,
            "created": clock.now(),
            "delivery_estimate": estimate and {"maximum": None, "minimum": None} | estimate,
            "display_name": given["display_name"],
            "fixed_amount": {"amount": fixed["amount"], "currency": fixed["currency"]},
            "livemode": False,
            "metadata": merge_metadata({}, given.get("metadata")),
            "tax_behavior": given.get("tax_behavior", "unspecified"),
            "tax_code": given.get("tax_code"),
            "type": "fixed_amount",
            "_currency_options": _options(fixed.get("currency_options")),
        }
    )


def _options(given: Body | None) -> Body:
    return {code: {"tax_behavior": "unspecified"} | option for code, option in (given or {}).items()}


@route(
    "POST",
    "/v1/shipping_rates",
    published(
        "ShippingRateCreateParams", "delivery_estimate", "fixed_amount", "metadata", "tax_behavior", "tax_code", "type",
        display_name=Text(max_length=100),
    ),
)  # fmt: skip
def create(call: Call) -> Body:
    return create_shipping_rate(call.params)


@route(
    "GET",
    "/v1/shipping_rates",
    published("ShippingRateListParams", "active", "created", "currency", "ending_before", "limit", "starting_after"),
)
def list_rates(call: Call) -> Body:
    return page(SHIPPING_RATE, call, url="/v1/shipping_rates")


@route("GET", "/v1/shipping_rates/:shipping_rate_token")
def retrieve(call: Call) -> Body:
    return fetch_from_url(SHIPPING_RATE, call.ids["shipping_rate_token"], param="shipping_rate_token")


@route(
    "POST",
    "/v1/shipping_rates/:shipping_rate_token",
    published("ShippingRateUpdateParams", "active", "fixed_amount", "metadata", "tax_behavior"),
)
def update(call: Call) -> Body:
    rate = retrieve(call)
    behaviour = call.get("tax_behavior")
    if behaviour and rate["tax_behavior"] not in ("unspecified", behaviour):
        raise ApiError(
            f"The tax behavior cannot be changed once it is set to {rate['tax_behavior']}.", param="tax_behavior"
        )
    rate |= {key: call[key] for key in ("active", "tax_behavior") if key in call.params}
    if "metadata" in call.params:
        rate["metadata"] = merge_metadata(rate["metadata"], call["metadata"])
    for code, option in ((call.get("fixed_amount") or {}).get("currency_options") or {}).items():
        rate["_currency_options"][code] = {"tax_behavior": "unspecified"} | rate["_currency_options"].get(code, {})
        rate["_currency_options"][code] |= option
    return store.save(rate)
