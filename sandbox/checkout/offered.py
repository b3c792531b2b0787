"""The payment methods that Checkout offers if a session names none; at Stripe the Dashboard's settings decide."""

from sandbox import levers, store
from sandbox.payments.intent_parameters import CURRENCY_OF, require_types

LEVER = "checkout methods"
USUAL = ("card",)


def offered_types(currency: str | None) -> list[str]:
    """The enabled types that a session in this currency can be paid with."""
    enabled = levers.read(LEVER) or USUAL
    return [kind for kind in enabled if CURRENCY_OF.get(kind, currency) == currency]


def enable_types(types: list[str]) -> None:
    """Choose what is offered from now on. Raises ApiError for a type that is unknown here."""
    require_types(types)
    with store.writing():
        levers.write(LEVER, types)
