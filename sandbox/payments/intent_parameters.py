"""What payment and setup intents ask for in the same words."""

from sandbox.protocol.errors import ApiError, not_in_sandbox_yet
from sandbox.protocol.routing import Call
from sandbox.store import Body

TYPES = ("card", "sepa_debit", "us_bank_account")
# A bank debit works in one currency only.
CURRENCY_OF = {"sepa_debit": "eur", "us_bank_account": "usd"}


def enabled_types(currency: str | None) -> list[str]:
    """What the sandbox's Dashboard, so to speak, has switched on for a currency."""
    return [kind for kind in TYPES if currency is None or CURRENCY_OF.get(kind, currency) == currency]


def automatic_methods(given: Body | None) -> Body:
    """`automatic_payment_methods`, which are on unless types were named (docs: changelog 2023-08-16)."""
    return {"allow_redirects": "always", "enabled": True} | (given or {})


def require_types(types: list[str], currency: str | None = None) -> list[str]:
    """Raises when a type is none of the sandbox's, or does not go with the currency."""
    for index, kind in enumerate(types):
        if kind not in TYPES:
            raise not_in_sandbox_yet(f"payment_method_types[{index}]")
    wrong = [kind for kind in types if currency and CURRENCY_OF.get(kind, currency) != currency]
    if wrong:
        raise ApiError(
            f"The currency provided ({currency}) is invalid for one or more payment method types: {', '.join(wrong)}.",
            param="payment_method_types",
        )
    return types


def acceptance_of(call: Call) -> Body | None:
    """How a mandate was accepted, if the call says."""
    return (call.get("mandate_data") or {}).get("customer_acceptance")
