"""What payment and setup intents ask for in the same words."""

from sandbox import store
from sandbox.protocol.errors import ApiError, not_in_sandbox_yet
from sandbox.protocol.routing import Call
from sandbox.store import Body

# What Stripe takes only together with `confirm=true` (docs: "Create a PaymentIntent").
ONLY_CONFIRMING = ("error_on_requires_action", "mandate_data", "off_session", "return_url")
TYPES = ("card", "sepa_debit", "us_bank_account")
# A bank debit works in one currency only.
CURRENCY_OF = {"sepa_debit": "eur", "us_bank_account": "usd"}


def enabled_types(currency: str | None) -> list[str]:
    """What the sandbox's Dashboard, so to speak, has switched on for a currency."""
    return [kind for kind in TYPES if currency is None or CURRENCY_OF.get(kind, currency) == currency]


def automatic_methods(given: Body | None) -> Body:
    """`automatic_payment_methods`, which are on unless types were named (docs: changelog 2023-08-16)."""
    return {"allow_redirects": "always", "enabled": True} | (given or {})


def configuration() -> Body:
    """Which of the account's configurations said what is switched on; the sandbox has one per account."""
    return {"id": f"pmc_1{store.acting_account().removeprefix('acct_1')}", "parent": None}


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


def check_confirming(call: Call, label: str) -> None:
    """Raises the 400 of what belongs to a confirmation, where a call makes an intent and does not confirm it."""
    for name in () if call.get("confirm") else ONLY_CONFIRMING:
        if call.get(name):
            raise ApiError(
                f"The parameter `{name}` cannot be passed when creating a {label} unless `confirm` is set to true.",
                param=name,
            )


def check_return_url(intent: Body, call: Call, label: str) -> None:
    """Raises the 400 of confirming without an address to come back to, where a method may lead the buyer away.

    It counts which methods the intent allows, not which one pays: a card does not redirect, and Stripe asks all the same.
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
    """How a mandate was accepted, if the call says."""
    return (call.get("mandate_data") or {}).get("customer_acceptance")
