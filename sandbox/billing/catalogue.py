"""Products and their prices, made through the API or implicitly by a session, a plan or an invoice item.

Notes of the sandbox on a price: `_tiers` and `_currency_options` (amounts in other currencies), which Stripe shows only
when asked to.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.billing.plan_shape import plan_of
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.parameters import merge_metadata
from sandbox.store import Body
from sandbox.webhooks.events import emit

# Twelve decimal places, as many as Stripe keeps of an amount.
SMALLEST = Decimal("1e-12")
AMOUNTS = ("unit_amount", "unit_amount_decimal")
# Three years, in each unit (docs: "Create a price", recurring.interval_count).
LONGEST_INTERVAL = {"day": 1095, "week": 156, "month": 36, "year": 3}


def create_product(*, name: str, announce: bool = True, **fields: Any) -> Body:
    """A stored product; emits product.created unless it only serves one inline price. Raises for an id that is taken."""
    if "id" in fields and store.find("product", fields["id"]):
        raise ApiError("Product already exists.", code="resource_already_exists", is_executed=True)
    moment = clock.now()
    empty = ("default_price", "description", "package_dimensions", "shippable", "statement_descriptor")
    product = store.insert(
        {
            "id": identifiers.new_id("prod_", 14),
            "object": "product",
            **dict.fromkeys((*empty, "tax_code", "unit_label", "url")),
            "active": True,
            "created": moment,
            "images": [],
            "livemode": False,
            "marketing_features": [],
            "metadata": {},
            "name": name,
            "type": "service",
            "updated": moment,
            **fields,
        }
    )
    if announce:
        emit("product.created", product)
    return product


def create_price(*, product: str, currency: str, announce: bool = True, **fields: Any) -> Body:
    """A stored price of an existing product; amounts are minor units.

    Emits price.created, and plan.created for a recurring one, which older clients know as a plan.
    """
    price = build_price(product=product, currency=currency, **fields)
    store.insert(price)
    if announce:
        emit_price_event(price, "created")
    return price


def create_one_off_price(each: Decimal, currency: str, *, name: str, product: str | None = None) -> Body:
    """A stored price for one line only, whose amount per unit may be negative; emits no event."""
    product = product or create_product(name=name, announce=False, active=False)["id"]
    price = build_price(product=product, currency=currency, unit_amount=0, active=False)
    is_whole = each == each.to_integral_value()
    amount = f"{each.quantize(Decimal(1)) if is_whole else each.quantize(SMALLEST).normalize():f}"
    return store.insert(price | {"unit_amount": int(each) if is_whole else None, "unit_amount_decimal": amount})


def emit_price_event(
    price: Body, what: str, *, previous: Body | None = None, plan_previous: Body | None = None
) -> None:
    """Emit an event of a price, and of its plan."""
    emit(f"price.{what}", price, previous=previous)
    if price["recurring"] and (previous is None or plan_previous):
        emit(f"plan.{what}", plan_of(price), previous=plan_previous)


def build_price(*, product: str, currency: str, **fields: Any) -> Body:
    """A price with every field, checked, not stored."""
    tiers, mode, scheme = fields.pop("tiers", None), fields.pop("tiers_mode", None), fields.pop("billing_scheme", None)
    custom = _custom(fields.pop("custom_unit_amount", None))
    options: Mapping[str, Body] = fields.pop("currency_options", None) or {}
    recurring = _recurring(fields.pop("recurring", None))
    amounts = {name: fields.pop(name) for name in AMOUNTS if fields.get(name) is not None}
    is_tiered = scheme == "tiered"
    _check_model(
        amounts, tiers=tiers, mode=mode, custom=custom, is_tiered=is_tiered, is_recurring=recurring is not None
    )
    if custom and recurring:
        raise ApiError("Prices with a custom unit amount cannot be recurring.", param="custom_unit_amount")
    if is_tiered and fields.get("transform_quantity"):
        raise ApiError("`transform_quantity` cannot be combined with tiered prices.", param="transform_quantity")
    notes: Body = {"_tiers": _tiers(tiers)} if tiers else {}
    if options:
        notes["_currency_options"] = {code: _option(option, f"currency_options[{code}]") for code, option
                                      in options.items()}  # fmt: skip
    return {
        "id": identifiers.new_id("price_1", 23),
        "object": "price",
        "active": True,
        "billing_scheme": "tiered" if is_tiered else "per_unit",
        "created": clock.now(),
        "currency": currency,
        "custom_unit_amount": custom,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": mode,
        "transform_quantity": None,
        "type": "recurring" if recurring else "one_time",
        **_amount_fields(amounts, "unit_amount"),
        **notes,
        **fields,
    }


def _check_model(  # noqa: PLR0913 -- the ways of pricing
    amounts: Body,
    *,
    tiers: Sequence[Body] | None,
    mode: str | None,
    custom: Body | None,
    is_tiered: bool,
    is_recurring: bool,
) -> None:
    """Raises unless exactly one way of pricing is given, completely."""
    if len(amounts) > 1:
        raise ApiError(
            "You may only specify one of these parameters: unit_amount, unit_amount_decimal.", param="unit_amount"
        )
    if is_tiered:
        for name, value in (("tiers", tiers), ("tiers_mode", mode)):
            if not value:
                raise missing_parameter(name)
        if not is_recurring:
            raise ApiError("Prices with `type=one_time` are not supported with tiered billing.", param="interval")
        if amounts:
            raise ApiError("You cannot set `unit_amount` when `billing_scheme` is `tiered`.", param="unit_amount")
    elif tiers or mode:
        raise ApiError("`tiers` requires `billing_scheme` to be `tiered`.", param="billing_scheme")
    elif not amounts and not custom:
        raise ApiError("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.")


def _recurring(given: Body | None) -> Body | None:
    if given is None:
        return None
    defaults: Body = {"interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed"}
    recurring = defaults | given
    longest = LONGEST_INTERVAL[recurring["interval"]]
    if not 1 <= recurring["interval_count"] <= longest:
        raise ApiError(
            f"Invalid interval count: {recurring['interval_count']}; a price can recur at most every three years.",
            param="recurring[interval_count]",
        )
    return recurring


def _custom(given: Body | None) -> Body | None:
    if not given or not given["enabled"]:
        return None
    return {name: given.get(name) for name in ("maximum", "minimum", "preset")}


def _option(given: Body, path: str) -> Body:
    """The amounts of a price in another currency."""
    amounts = {name: given[name] for name in AMOUNTS if name in given}
    return {
        "custom_unit_amount": _custom(given.get("custom_unit_amount")),
        "tax_behavior": given.get("tax_behavior", "unspecified"),
        "tiers": _tiers(given["tiers"], f"{path}[tiers]") if given.get("tiers") else None,
        **_amount_fields(amounts, "unit_amount"),
    }


def _tiers(given: Sequence[Body], path: str = "tiers") -> list[Body]:
    """Tiers as Stripe keeps them: the last one has no end."""
    tiers: list[Body] = []
    for index, tier in enumerate(given):
        end = None if tier["up_to"] == "inf" else int(tier["up_to"])
        is_last = index == len(given) - 1
        if (end is None) != is_last:
            raise ApiError("The last tier, and only it, must have `up_to` set to `inf`.", param=path)
        if tiers and end is not None and end <= tiers[-1]["up_to"]:
            raise ApiError("Tiers must be listed in ascending order of `up_to`.", param=path)
        flat: Body = {name: tier[name] for name in ("flat_amount", "flat_amount_decimal") if name in tier}
        unit: Body = {name: tier[name] for name in AMOUNTS if name in tier}
        if not flat and not unit:
            raise missing_parameter(f"{path}[{index}][unit_amount]")
        tiers.append({**_amount_fields(flat, "flat_amount"), **_amount_fields(unit, "unit_amount"), "up_to": end})
    return tiers


def _amount_fields(given: Body, name: str) -> Body:
    """An amount in its two forms: the integer one only where there is no fraction of a minor unit."""
    whole, exact = given.get(name), given.get(f"{name}_decimal")
    if whole is None and exact is None:
        return {name: None, f"{name}_decimal": None}
    value = Decimal(str(whole if exact is None else exact))
    if value < 0:
        raise ApiError("This value must be greater than or equal to 0.", code="parameter_invalid_integer", param=name)
    is_whole = value == value.to_integral_value()
    return {name: int(value) if is_whole else None, f"{name}_decimal": f"{value:f}"}


def price_change(price: Body, parameters: Body) -> Body:
    """The fields of a price after an update. Raises where Stripe no longer allows a change."""
    change = dict(parameters)
    if "metadata" in change:
        change["metadata"] = merge_metadata(price["metadata"], change["metadata"])
    behaviour = change.get("tax_behavior")
    if behaviour and price["tax_behavior"] not in ("unspecified", behaviour):
        raise ApiError(
            f"The tax behavior cannot be changed once it is set to {price['tax_behavior']}.", param="tax_behavior"
        )
    options = change.pop("currency_options", None)
    if options:
        known: Body = dict(price.get("_currency_options", {}))
        for code, option in options.items():
            known[code] = known.get(code, {}) | _option(option, f"currency_options[{code}]")
        change["_currency_options"] = known
    return change
