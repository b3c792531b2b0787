"""Parameters that payment and setup intents have in common."""

from sandbox import store
from sandbox.protocol.errors import ApiError, not_in_sandbox_yet
from sandbox.protocol.routing import Call
from sandbox.store import Body

# Parameters that Stripe accepts only together with `confirm=true` (docs: "Create a PaymentIntent").
ONLY_CONFIRMING = ("error_on_requires_action", "mandate_data", "off_session", "return_url")
TYPES = ("card", "sepa_debit", "us_bank_account")
# A bank debit is possible in one currency only.
CURRENCY_OF = {"sepa_debit": "eur", "us_bank_account": "usd"}


def enabled_types(currency: str | None) -> list[str]:
    """The payment method types that are enabled for a currency; at Stripe the Dashboard configures this."""
    return [kind for kind in TYPES if currency is None or CURRENCY_OF.get(kind, currency) == currency]


def automatic_methods(given: Body | None) -> Body:
    """`automatic_payment_methods`, enabled unless the call names types (docs: changelog 2023-08-16)."""
    return {"allow_redirects": "always", "enabled": True} | (given or {})


def configuration() -> Body:
    """The payment method configuration in use; the sandbox has one per account."""
    return {"id": f"pmc_1{store.acting_account().removeprefix('acct_1')}", "parent": None}


def require_types(types: list[str], currency: str | None = None) -> list[str]:
    """The types, checked. Raises a 400 for a type that the sandbox does not support or the currency does not allow."""
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


def check_confirming(call: Call, label: str) -> None:
    """Raise Stripe's 400 for parameters of a confirmation in a call that creates an intent without confirming it."""
    for name in () if call.get("confirm") else ONLY_CONFIRMING:
        if call.get(name):
            raise ApiError(
                f"The parameter `{name}` cannot be passed when creating a {label} unless `confirm` is set to true.",
                param=name,
            )


def check_return_url(intent: Body, call: Call, label: str) -> None:
    """Raise Stripe's 400 for a confirmation without a return URL if an allowed method may redirect the buyer.

    The methods that the intent allows decide, not the one that pays: Stripe requires it for a card as well.
    """
    automatic = intent["automatic_payment_methods"] or {"enabled": False}
    if automatic["enabled"] and automatic["allow_redirects"] != "never" and not call.get("return_url"):
        raise ApiError(
            f"This {label} is configured to accept payment methods enabled in your Dashboard. Because some of these "
            "payment methods might redirect your customer off of your page, you must provide a `return_url`. If you "
            "don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` "
            "and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment "
            "Intents."
        )


def acceptance_of(call: Call) -> Body | None:
    """How the mandate was accepted, or None if the call does not say."""
    return (call.get("mandate_data") or {}).get("customer_acceptance")
