"""Amounts that Stripe refuses: too small, too large, or finer than can be charged (docs: "Supported currencies")."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.protocol.errors import ApiError
from sandbox.protocol.money import MAXIMUM_CHARGE, minimum_charge, step_of, written

_AMOUNTS = frozenset(
    [
        "amount", "amount_off", "amount_to_capture", "application_fee_amount", "flat_amount", "flat_amount_decimal",
        "unit_amount", "unit_amount_decimal",
    ]
)  # fmt: skip
_BOUNDS = frozenset(["maximum", "minimum", "preset"])


def check_charge(amount: int, currency: str, *, param: str = "amount") -> None:
    """Raise Stripe's 400 for an amount, in minor units, that cannot be charged."""
    if amount < minimum_charge(currency):
        raise ApiError(
            f"Amount must be at least {written(minimum_charge(currency), currency)} {currency}",
            code="amount_too_small",
            param=param,
        )
    if amount > MAXIMUM_CHARGE:
        raise ApiError(
            f"Amount must be no more than {written(MAXIMUM_CHARGE, currency)} {currency}",
            code="amount_too_large",
            param=param,
        )
    check_step(amount, currency, param=param)


def check_step(amount: int | str, currency: str, *, param: str = "amount", is_payout: bool = False) -> None:
    """Raise Stripe's 400 for an amount that is finer than its currency can be charged, or paid out, in."""
    step = step_of(currency, is_payout=is_payout)
    if step > 1 and Decimal(amount) % step:
        raise ApiError(
            f"Invalid amount: amounts in {currency} must be divisible by {step}, but you passed {amount}.",
            code="parameter_invalid_integer",
            param=param,
        )


def check_sent(params: Mapping[str, Any], *, currency: str | None = None, path: str = "") -> None:
    """Check every amount in a call's parameters that has its currency beside it or in an outer hash.

    An amount in the currency of a stored object, such as a refund's, is checked where that object is read.
    """
    own = params["currency"] if isinstance(params.get("currency"), str) else currency
    for name, value in params.items():
        where = f"{path}[{name}]" if path else name
        if name == "currency_options":
            for code, option in (value or {}).items():
                check_sent(option, currency=code, path=f"{where}[{code}]")
        elif name == "minimum_amount" and params.get("minimum_amount_currency"):
            check_step(value, params["minimum_amount_currency"], param=where)
        elif own and value is not None and _is_amount(name, path):
            check_step(value, own, param=where)
        elif name != "metadata":
            _check_nested(value, own, where)


def _is_amount(name: str, path: str) -> bool:
    return name in _AMOUNTS or (name in _BOUNDS and path.endswith("custom_unit_amount"))


def _check_nested(value: Any, currency: str | None, where: str) -> None:
    if isinstance(value, dict):
        check_sent(value, currency=currency, path=where)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_nested(item, currency, f"{where}[{index}]")
