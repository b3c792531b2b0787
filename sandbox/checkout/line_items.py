"""Lines of a Checkout Session: a price, a quantity, the discount and the taxes, in minor units.

A line lives inside its session. Notes of the sandbox on a line: `_tax_rates`, ids of rates chosen for it, `_taxes`, what
each rate comes to, `_discount`, what the session's discount takes off, and `_is_postponed`, that a trial comes first.
"""

from typing import Any

from sandbox import identifiers, store
from sandbox.billing.catalogue import create_price, create_product
from sandbox.billing.pricing import is_sold_in
from sandbox.checkout.totals import shown_reason
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import as_list
from sandbox.protocol.parameters import Integer, merge_metadata
from sandbox.protocol.resource import Resource, fetch_from_parameter, presented, register
from sandbox.store import Body

MOST_ADJUSTABLE = 999_999
DEFAULT_MAXIMUM = 99
NO_RECURRING = (
    "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only "
    "one-time prices."
)


def _line_discounts(line: Body) -> list[Body]:
    stored = _stored(line)
    return [stored["_discount"]] if stored["_discount"] else []


def _line_taxes(line: Body) -> list[Body]:
    return [
        {
            "amount": tax["amount"],
            "rate": presented(store.fetch("tax_rate", tax["tax_rate_details"]["tax_rate"])),
            "taxability_reason": shown_reason(tax),
            "taxable_amount": tax["taxable_amount"],
        }
        for tax in _stored(line)["_taxes"]
    ]


def _stored(line: Body) -> Body:
    """The line with the sandbox's notes; expansion shows it without them."""
    session_id = store.fetch("item", line["id"])["_session"]
    session = store.fetch("checkout.session", session_id)
    found: Body = next(item for item in session["_line_items"] if item["id"] == line["id"])
    return found


ITEM = register(
    Resource("item", references={"price": "price"}, computed={"discounts": _line_discounts, "taxes": _line_taxes})
)


def build_line_items(given: list[Body], *, session_id: str, mode: str, currency: str | None) -> list[Body]:
    """Lines from a client's parameters. Raises for mixed currencies, and for prices that do not fit the mode."""
    items = [_line_item(line, f"line_items[{index}]", mode, currency) for index, line in enumerate(given)]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise ApiError(
            "All prices on a Checkout Session must use the same currency; you passed "
            f"{' and '.join(sorted(currencies))}.",
            param="line_items",
        )
    for item in items:
        # A row by which expansion finds the session of a line.
        store.insert({"id": item["id"], "object": "item", "_session": session_id})
    return items


def _line_item(line: Body, path: str, mode: str, currency: str | None) -> Body:
    price = _price_of(line, path)
    if mode == "payment" and price["type"] == "recurring":
        raise ApiError(NO_RECURRING, param="line_items")
    if price["custom_unit_amount"]:
        raise ApiError("The sandbox's page does not let the buyer choose the amount yet.", param=f"{path}[price]")
    if "quantity" not in line:
        raise ApiError(f"Quantity is required. Add `quantity` to `{path}`", param=f"{path}[quantity]")
    Integer(0).read(str(line["quantity"]), f"{path}[quantity]")
    if currency and not is_sold_in(price, currency):
        raise ApiError(
            f"The price specified only supports `{price['currency']}`. This doesn't match the expected currency: "
            f"`{currency}`.",
            param=f"{path}[price]",
        )
    rates = [
        fetch_from_parameter("tax_rate", rate, param=f"{path}[tax_rates][{index}]")["id"]
        for index, rate in enumerate(line.get("tax_rates", ()))
    ]
    return {
        "id": identifiers.new_id("li_1", 23),
        "object": "item",
        "adjustable_quantity": _adjustable(line, path),
        **dict.fromkeys(("amount_discount", "amount_subtotal", "amount_tax", "amount_total"), 0),
        "currency": currency or price["currency"],
        "description": store.fetch("product", price["product"]).get("name"),
        "metadata": merge_metadata({}, line.get("metadata", {})),
        "price": price,
        "quantity": line["quantity"],
        "_discount": None,
        "_is_postponed": False,
        "_tax_rates": rates,
        "_taxes": [],
    }


def _adjustable(line: Body, path: str) -> Body | None:
    """The bounds within which the buyer may change a quantity."""
    given: dict[str, Any] = line.get("adjustable_quantity") or {}
    if not given.get("enabled"):
        return None
    bounds = {"enabled": True, "maximum": DEFAULT_MAXIMUM, "minimum": 0} | given
    for name in ("maximum", "minimum"):
        if not 0 <= bounds[name] <= MOST_ADJUSTABLE:
            raise ApiError(
                f"Invalid {name}: must be between 0 and {MOST_ADJUSTABLE}.",
                param=f"{path}[adjustable_quantity][{name}]",
            )
    if not bounds["minimum"] <= line["quantity"] <= bounds["maximum"]:
        raise ApiError(
            f"The quantity must be between the adjustable minimum ({bounds['minimum']}) and maximum "
            f"({bounds['maximum']}).",
            param=f"{path}[quantity]",
        )
    return bounds


def _price_of(line: Body, path: str) -> Body:
    if "price" in line:
        price = fetch_from_parameter("price", line["price"], param=f"{path}[price]")
        if not price["active"]:
            raise ApiError(
                f"The price specified is inactive. This field only accepts active prices: {price['id']}",
                param=f"{path}[price]",
            )
        return price
    if "price_data" not in line:
        raise missing_parameter(f"{path}[price]")
    return _inline_price(line["price_data"], path)


def _inline_price(data: Body, path: str) -> Body:
    """A price for this session only; like its product it stays inactive, so that it cannot be chosen elsewhere."""
    if "product_data" in data and "product" in data:
        raise ApiError(
            "You may only specify one of these parameters: product, product_data.", param=f"{path}[price_data][product]"
        )
    if "product_data" in data:
        given = data["product_data"]
        metadata = merge_metadata({}, given.get("metadata"))
        product = create_product(**given | {"metadata": metadata}, announce=False, active=False)
    elif "product" in data:
        product = fetch_from_parameter("product", data["product"], param=f"{path}[price_data][product]")
    else:
        raise missing_parameter(f"{path}[price_data][product]")
    names = ("unit_amount", "unit_amount_decimal", "tax_behavior", "recurring")
    amounts = {key: data[key] for key in names if key in data}
    return create_price(product=product["id"], currency=data["currency"], announce=False, active=False, **amounts)


def shown_items(session: Body) -> list[Body]:
    """The lines as clients see them."""
    return [presented(item) | {"price": presented(item["price"])} for item in session["_line_items"]]


def items_of(session: Body) -> Body:
    """The lines as the list that clients expand; they are stored in the session itself."""
    stored = store.fetch("checkout.session", session["id"])
    return as_list(shown_items(stored), url=f"/v1/checkout/sessions/{session['id']}/line_items")
