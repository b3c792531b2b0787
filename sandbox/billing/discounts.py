"""Coupons and promotion codes, and the amounts they take off (docs: "Coupons and promotion codes").

A discount is a coupon granted to a customer, a subscription, an invoice or a line of one. Amounts are minor
units. Percentages are rounded to the nearest minor unit per line; an amount off is shared among the lines in proportion,
and the rounding remainder goes to the last of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.billing import periods
from sandbox.billing.periods import Interval
from sandbox.billing.pricing import rounded
from sandbox.protocol.errors import ApiError
from sandbox.protocol.money import step_of, written
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body
from sandbox.webhooks.events import emit

FIVE_YEARS = Interval("year", 5)


@dataclass(frozen=True)
class Share:
    """A line that a discount may reduce: what is left of its amount, and its product."""

    amount: int
    product: str | None = None
    is_discountable: bool = True


def coupon_of(granted: Body) -> Body:
    """The coupon of a coupon, a promotion code or a discount; a deleted one stays valid where it was granted."""
    if granted["object"] == "coupon":
        return granted
    if granted["object"] == "discount":
        terms: Body = granted["_coupon"]
        return terms
    return store.fetch("coupon", granted["promotion"]["coupon"])


def spread(granted: Body, shares: Sequence[Share], currency: str) -> list[int]:
    """The amount taken off each line, in order."""
    coupon = coupon_of(granted)
    eligible = [
        max(share.amount, 0) if share.is_discountable and applies_to(coupon, share.product) else 0 for share in shares
    ]
    if coupon["percent_off"] is not None:
        # No finer than the currency's smallest charge step, so that the rest can be paid.
        share, step = Decimal(str(coupon["percent_off"])) / 100, step_of(currency)
        return [rounded(amount * share / step) * step for amount in eligible]
    return _share_out(min(amount_off(coupon, currency), sum(eligible)), eligible)


def _share_out(total: int, amounts: Sequence[int]) -> list[int]:
    """Divide `total` in proportion to the amounts, exactly."""
    parts = [0] * len(amounts)
    left_over, weight = total, sum(amounts)
    for index, amount in enumerate(amounts):
        if weight <= 0 or amount <= 0:
            continue
        parts[index] = min(amount, rounded(Decimal(left_over) * amount / weight))
        left_over -= parts[index]
        weight -= amount
    return parts


def amount_off(coupon: Body, currency: str) -> int:
    """The amount of an amount-off coupon in a currency; None where it names none."""
    if coupon["currency"] == currency:
        return int(coupon["amount_off"])
    option = coupon.get("_currency_options", {}).get(currency)
    return int(option["amount_off"]) if option else 0


def applies_to(coupon: Body, product: str | None) -> bool:
    """Whether a coupon applies to this product; one without a list of products applies to all."""
    products = coupon.get("_products")
    return not products or product in products


def require_valid(coupon: Body, *, currency: str | None = None, param: str = "coupon") -> Body:
    """The coupon, if it can still be granted. Raises Stripe's 400."""
    if not is_valid(coupon):
        raise ApiError(f"Coupon {coupon['id']} is not valid: it has expired or reached its redemption limit.",
                       code="coupon_expired", param=param)  # fmt: skip
    if currency and coupon["percent_off"] is None and not amount_off(coupon, currency):
        raise ApiError(
            f"Coupon {coupon['id']} is in {coupon['currency']} and cannot be applied to {currency}.", param=param
        )
    return coupon


def is_valid(coupon: Body) -> bool:
    """Whether a coupon can still be granted, now."""
    is_late = coupon["redeem_by"] is not None and coupon["redeem_by"] <= clock.now()
    is_used_up = coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]
    return not (is_late or is_used_up or coupon.get("deleted"))


def require_near_future(moment: int, param: str) -> None:
    """Raises Stripe's 400 for an end in the past, or more than five years ahead."""
    now = clock.now()
    if moment <= now:
        raise ApiError(
            f"The parameter `{param}` expects a unix timestamp representing a date and time in the future. You "
            f"specified the value `{moment}` which is in the past.",
            param=param,
        )
    if moment > periods.boundary(now, FIVE_YEARS, 1):
        raise ApiError("Invalid timestamp: can be no more than five years in the future.", param=param)


def is_active(code: Body) -> bool:
    """Whether a promotion code can be used at all now: a code ends with its coupon."""
    is_late = code["expires_at"] is not None and code["expires_at"] <= clock.now()
    is_used_up = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    coupon = store.fetch("coupon", code["promotion"]["coupon"])
    return bool(code["active"]) and not is_late and not is_used_up and not coupon.get("deleted") and is_valid(coupon)


def find_code(typed: str, *, customer: str | None = None) -> Body | None:
    """The active promotion code a buyer typed, ignoring case; a code for this customer takes precedence."""
    rows = store.rows("promotion_code").filter(subtype=typed.strip().lower(), body__active=True)
    found = [body for body in rows.values_list("body", flat=True) if is_active(body)]
    mine = [code for code in found if customer and code["customer"] == customer]
    for_all = [code for code in found if code["customer"] is None]
    return next(iter(mine + for_all), None)


def require_usable(
    code: Body, *, amount: int | None, currency: str, customer: Body | None, param: str = "promotion_code"
) -> Body:
    """The promotion code, if this customer may use it for this amount. Raises Stripe's 400.

    `amount` is the amount before the discount; None skips the check of a minimum. Without a customer, a code for first
    orders is refused, since previous orders are unknown.
    """
    if not is_active(code):
        raise _refused("This promotion code is inactive or expired.", param)
    if code["customer"] and (customer is None or customer["id"] != code["customer"]):
        raise _refused("This promotion code cannot be redeemed by this customer.", param)
    if code["restrictions"]["first_time_transaction"] and (customer is None or _has_paid_before(customer)):
        raise _refused(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            param,
        )
    minimum = _minimum(code, currency)
    if amount is not None and minimum is not None and amount < minimum:
        raise _refused(
            f"This promotion code cannot be redeemed because the order is below {written(minimum, currency)}.",
            param,
        )
    require_valid(coupon_of(code), currency=currency, param=param)
    return code


def _refused(message: str, param: str) -> ApiError:
    return ApiError(message, param=param, is_executed=True)


def _minimum(code: Body, currency: str) -> int | None:
    restrictions = code["restrictions"]
    if restrictions["minimum_amount_currency"] in (None, currency):
        least: int | None = restrictions["minimum_amount"]
        return least
    option = code.get("_restriction_options", {}).get(currency)
    # The minimum is given in other currencies only, so the code is not valid for this one.
    return int(option["minimum_amount"]) if option else 2**53


def _has_paid_before(customer: Body) -> bool:
    charged = store.rows("charge").filter(customer=customer["id"], status="succeeded").exists()
    return charged or store.rows("invoice").filter(customer=customer["id"], status="paid").exists()


def chosen(entry: Body, *, amount: int | None, currency: str, customer: Body | None, param: str) -> Body:
    """What one entry of `discounts` names: a coupon or a promotion code, checked. Raises Stripe's 400."""
    if len([name for name in ("coupon", "promotion_code", "discount") if entry.get(name)]) != 1:
        raise ApiError(f"Each entry of {param} takes one of coupon, promotion_code or discount.", param=param)
    if entry.get("promotion_code"):
        named = f"{param}[promotion_code]"
        code = fetch_from_parameter("promotion_code", entry["promotion_code"], param=named)
        return require_usable(code, amount=amount, currency=currency, customer=customer, param=named)
    if entry.get("coupon"):
        named = f"{param}[coupon]"
        return require_valid(
            fetch_from_parameter("coupon", entry["coupon"], param=named), currency=currency, param=named
        )
    return fetch_from_parameter("discount", entry["discount"], param=f"{param}[discount]")


def grant(granted: Body, **holder: Any) -> Body:
    """Store a discount made from a coupon or promotion code, redeemed once.

    `holder` says whose it is: customer, subscription, subscription_item, invoice, invoice_item, checkout_session.
    """
    if granted["object"] == "discount":
        return granted
    coupon = coupon_of(granted)
    start = clock.now()
    months = coupon["duration_in_months"] if coupon["duration"] == "repeating" else None
    discount: Body = {
        "id": identifiers.new_id("di_1", 23),
        "object": "discount",
        "checkout_session": None,
        "customer": None,
        "customer_account": None,
        "end": periods.boundary(start, Interval("month", months), 1) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": granted["id"] if granted["object"] == "promotion_code" else None,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": start,
        "subscription": None,
        "subscription_item": None,
        "_coupon": coupon,
        **holder,
    }
    store.insert(discount)
    redeem(granted)
    return discount


def redeem(granted: Body) -> None:
    """Count one use; the last allowed use ends the coupon and the code."""
    if granted["object"] == "promotion_code":
        code = store.fetch("promotion_code", granted["id"])
        _count(code, "active", is_over=code["max_redemptions"] == code["times_redeemed"] + 1)
    coupon = store.fetch("coupon", coupon_of(granted)["id"])
    if not coupon.get("deleted"):
        _count(coupon, "valid", is_over=coupon["max_redemptions"] == coupon["times_redeemed"] + 1)


def _count(body: Body, flag: str, *, is_over: bool) -> None:
    previous: Body = {"times_redeemed": body["times_redeemed"]}
    body["times_redeemed"] += 1
    if is_over and body[flag]:
        previous[flag] = True
        body[flag] = False
    store.save(body)
    emit(f"{body['object']}.updated", body, previous=previous)
