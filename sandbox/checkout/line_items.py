"""Lines of a Checkout Session: a price, a quantity, and their product in minor units."""

from sandbox import identifiers, store
from sandbox.protocol.errors import ApiError, missing_parameter
from sandbox.protocol.listing import as_list
from sandbox.protocol.resource import Resource, fetch_from_parameter, register
from sandbox.resources.prices import create_price
from sandbox.resources.products import create_product
from sandbox.store import Body

ITEM = register(
    Resource("item", references={"price": "price"}, computed={"discounts": lambda _: [], "taxes": lambda _: []})
)


def build_line_items(given: list[Body]) -> list[Body]:
    """Lines out of what a client asked for. Raises on mixed currencies, recurring or missing prices."""
    items = [_line_item(line, f"line_items[{index}]") for index, line in enumerate(given)]
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise ApiError(
            "All prices on a Checkout Session must use the same currency; you passed "
            f"{' and '.join(sorted(currencies))}.",
            param="line_items",
        )
    return items


def _line_item(line: Body, path: str) -> Body:
    price = _price_of(line, path)
    if price["type"] == "recurring":
        raise ApiError(
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices.",
            param="line_items",
        )
    if "quantity" not in line:
        raise ApiError("Quantity is required. Add `quantity` to `" + path + "`", param=f"{path}[quantity]")
    product = store.fetch("product", price["product"])
    subtotal = price["unit_amount"] * line["quantity"]
    return {
        "id": identifiers.new_id("li_1", 23),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": subtotal,
        "amount_tax": 0,
        "amount_total": subtotal,
        "currency": price["currency"],
        "description": product["name"],
        "metadata": line.get("metadata") or {},
        "price": price,
        "quantity": line["quantity"],
    }


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
    """A price made for this session alone; like its product it stays inactive, so nobody else picks it."""
    if "product_data" in data:
        product = create_product(**data["product_data"], announce=False, active=False)
    elif "product" in data:
        product = fetch_from_parameter("product", data["product"], param=f"{path}[price_data][product]")
    else:
        raise missing_parameter(f"{path}[price_data][product]")
    amounts = {key: data[key] for key in ("unit_amount", "unit_amount_decimal", "tax_behavior") if key in data}
    recurring = {"recurring": data["recurring"]} if "recurring" in data else {}
    return create_price(
        product=product["id"], currency=data["currency"], announce=False, active=False, **amounts, **recurring
    )


def items_of(session: Body) -> Body:
    """The lines as the list a client expands; the bodies live in the session itself."""
    stored = store.fetch("checkout.session", session["id"])
    return as_list(list(stored["_line_items"]), url=f"/v1/checkout/sessions/{session['id']}/line_items")
