"""The parameters by which a client adds something to an invoice: an amount, a price, or the data of a price."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sandbox import store
from sandbox.billing import discounts
from sandbox.billing.catalogue import create_one_off_price, create_price, create_product
from sandbox.billing.periods import Period
from sandbox.billing.pricing import is_sold_in, rounded
from sandbox.protocol.amounts import check_step
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body

DISCOUNTS = ("discounts.coupon", "discounts.discount", "discounts.promotion_code")
PRICE_DATA = ("price_data.currency", "price_data.product", "price_data.tax_behavior", "price_data.unit_amount",
              "price_data.unit_amount_decimal")  # fmt: skip


def item_facts(given: Mapping[str, Any], *, customer: Body, currency: str | None, path: str = "") -> Body:
    """The arguments of `create_item` from the parameters; `path` is their place in the call, such as `lines[0]`.

    Raises Stripe's 400 for prices, tax rates and discounts that cannot be used here.
    """
    price = _price(given, path)
    chosen = _currency(given, price, currency, path)
    facts: Body = {"currency": chosen, "quantity": given.get("quantity", 1)}
    if price:
        if not is_sold_in(price, chosen):
            raise ApiError(
                f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
                f"`{chosen}`.",
                param=_named(path, "pricing[price]"),
            )
        facts["price"] = price
        facts["description"] = given.get("description") or _name_of(price)
    else:
        facts["amount"] = _amount(given, path)
        check_step(facts["amount"], chosen, param=_named(path, "amount"))
        facts["description"] = given.get("description")
        facts["price"] = _one_off_price(given, facts)
    if "discountable" in given:
        facts["discountable"] = given["discountable"]
    if "period" in given:
        facts["period"] = _period(given["period"], path)
    if "metadata" in given:
        facts["metadata"] = merge_metadata({}, given["metadata"])
    if "tax_rates" in given:
        facts["tax_rates"] = tax_rate_ids(given["tax_rates"], _named(path, "tax_rates"))
    if given.get("tax_behavior"):
        facts["_tax_behavior"] = given["tax_behavior"]
    if given.get("discounts"):
        facts["discounts"] = granted(given["discounts"], currency=chosen, customer=customer, path=path)
    return facts


def granted(
    entries: Sequence[Body], *, currency: str, customer: Body, path: str = "", amount: int | None = None, **holder: str
) -> list[str]:
    """Ids of new discounts for each entry of a `discounts` parameter."""
    chosen = [
        discounts.chosen(
            entry, amount=amount, currency=currency, customer=customer, param=_named(path, f"discounts[{index}]")
        )
        for index, entry in enumerate(entries)
    ]
    return [discounts.grant(one, customer=customer["id"], **holder)["id"] for one in chosen]


def tax_rate_ids(given: Sequence[str], path: str) -> list[str]:
    """The ids, after checking that these tax rates exist."""
    return [tax_rate(rate, f"{path}[{index}]")["id"] for index, rate in enumerate(given)]


def tax_rate(rate_id: str, param: str) -> Body:
    """A tax rate that can be used. Raises Stripe's 400."""
    rate = fetch_from_parameter("tax_rate", rate_id, param=param)
    if not rate["active"]:
        raise ApiError(f"The tax rate {rate_id} cannot be used because it is inactive.", param=param)
    return rate


def _named(path: str, name: str) -> str:
    if not path:
        return name
    head, bracket, rest = name.partition("[")
    return f"{path}[{head}]{bracket}{rest}"


def _price(given: Mapping[str, Any], path: str) -> Body | None:
    price_id = (given.get("pricing") or {}).get("price") or given.get("price")
    if price_id and given.get("price_data"):
        raise ApiError("You may only specify one of these parameters: price, price_data.", param=_named(path, "price"))
    if price_id:
        param = _named(path, "pricing[price]" if given.get("pricing") else "price")
        price = fetch_from_parameter("price", price_id, param=param)
        _require_one_time(price, param)
        return price
    if given.get("_price"):
        return store.fetch("price", given["_price"])
    return _inline_price(given["price_data"], path) if given.get("price_data") else None


def _require_one_time(price: Body, param: str) -> None:
    if price["type"] != "one_time":
        raise ApiError(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.",
            param=param,
        )
    if not price["active"]:
        raise ApiError(
            f"The price specified is inactive. This field only accepts active prices: {price['id']}", param=param
        )


def _inline_price(data: Body, path: str) -> Body:
    """A price for this line only; it stays inactive, so that it cannot be chosen elsewhere."""
    if data.get("product_data"):
        product = create_product(**data["product_data"], announce=False, active=False)["id"]
    elif data.get("product"):
        product = fetch_from_parameter("product", data["product"], param=_named(path, "price_data[product]"))["id"]
    else:
        raise missing_parameter(_named(path, "price_data[product]"))
    amounts = {key: data[key] for key in ("unit_amount", "unit_amount_decimal", "tax_behavior") if key in data}
    return create_price(product=product, currency=data["currency"], announce=False, active=False, **amounts)


def _one_off_price(given: Mapping[str, Any], facts: Body) -> Body:
    """The price that Stripe makes for a bare amount; a changed amount is a new price of the same product."""
    each = Decimal(facts["amount"]) / (facts["quantity"] or 1)
    name = facts["description"] or "One-time item"
    return create_one_off_price(each, facts["currency"], name=name, product=given.get("_product"))


def _name_of(price: Body) -> str:
    return str(store.fetch("product", price["product"]).get("name") or price["product"])


def _currency(given: Mapping[str, Any], price: Body | None, expected: str | None, path: str) -> str:
    passed: str | None = given.get("currency")
    if expected and passed and passed != expected:
        raise ApiError(
            f"The currency must be {expected}, like that of the invoice; you passed {passed}.",
            param=_named(path, "currency"),
        )
    found = passed or expected or (price and price["currency"])
    if not found:
        raise missing_parameter(_named(path, "currency"))
    return str(found)


def _amount(given: Mapping[str, Any], path: str) -> int:
    if "amount" in given and given.get("unit_amount_decimal") is None:
        return int(given["amount"])
    each = given.get("unit_amount_decimal", given.get("unit_amount"))
    if each is None:
        raise missing_parameter(_named(path, "amount"))
    return rounded(Decimal(str(each)) * int(given.get("quantity", 1)))


def _period(given: Body, path: str) -> Period:
    if given["end"] < given["start"]:
        raise ApiError("`period[end]` must not be before `period[start]`.", param=_named(path, "period[end]"))
    return Period(given["start"], given["end"])
