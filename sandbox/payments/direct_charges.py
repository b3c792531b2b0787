"""Charges without an intent, as Stripe's older Charges API creates them from a token or a customer's source.

At Stripe this needs a setting of the account; the sandbox behaves as if it were enabled.
"""

from typing import Any

from sandbox import identifiers, store
from sandbox.payments import charges
from sandbox.payments.balance import record_charge_income
from sandbox.payments.declines import AUTHENTICATION_REQUIRED, Decline
from sandbox.payments.method_data import card_from_token
from sandbox.payments.methods import card_behaviour
from sandbox.payments.published_cards import IF_REQUESTED, NO_CHALLENGE
from sandbox.payments.refusals import decline_error
from sandbox.protocol.errors import ApiError
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body
from sandbox.webhooks.events import emit


def charge_source(terms: Body, source: str | None, customer: Body | None, *, captures: bool) -> Body:
    """Charge a token, or a customer's default method. `terms` has the amount (minor units), currency and other fields.

    Emits charge.succeeded, or charge.failed before it raises the decline's 402.
    """
    method = _method_of(source, customer)
    charge = charges.build_charge({"id": identifiers.new_id("ch_3", 23), **terms}, method)
    charge |= {"payment_intent": None, "source": _source_shown(method)}
    charges.note_card_behaviour(charge, method)
    decline = _decline_of(method)
    if decline:
        charges.mark_failed(charge, decline)
        charges.stored(charge)
        emit("charge.failed", charge)
        error = decline_error(decline, {"charge": charge["id"]}, method)
        error.details.pop("payment_method")
        raise error
    charges.mark_succeeded(charge, amount_captured=charge["amount"] if captures else None)
    if captures:
        # Only payment intents are captured asynchronously; here the balance transaction is recorded immediately.
        record_charge_income(charge)
    charges.stored(charge)
    emit("charge.succeeded", charge)
    return charge


def _method_of(source: str | None, customer: Body | None) -> Body:
    if source is None and customer is None:
        raise ApiError("Must provide source or customer.", code="parameter_missing")
    given = source or _default_of(customer or {})
    if not given.startswith("tok_"):
        return fetch_from_parameter("payment_method", given, param="source")
    try:
        return card_from_token(given, billing=None, metadata={})
    except ApiError as error:
        error.param = "source"
        raise


def _default_of(customer: Body) -> str:
    """The id of the customer's default source or method. Raises Stripe's 402 if there is none."""
    default = customer["default_source"] or customer["invoice_settings"]["default_payment_method"]
    if default:
        return str(default)
    has_method = store.rows("payment_method").filter(customer=customer["id"]).exists()
    raise ApiError(_NO_LEGACY_DETAILS if has_method else _NO_DETAILS, **_MISSING)


_MISSING: Any = {"status": 402, "kind": "card_error", "code": "missing", "param": "card", "is_executed": True}
_NO_LEGACY_DETAILS = (
    "This Customer doesn't have any legacy saved payment details, but does have a Payment Method attached. Use a "
    "Payment Intent instead of creating a Charge: https://stripe.com/docs/payments/payment-intents/migration"
)
_NO_DETAILS = (
    "This Customer doesn't have any saved payment details. Attach a legacy Token, Card, Bank Account, or Source to "
    "this Customer and then try this request again, or use Payment Intents and Payment Methods instead."
)


def _decline_of(method: Body) -> Decline | None:
    if method["type"] != "card":
        raise ApiError(
            "The sandbox charges only cards without an intent.", param="source", code="sandbox_not_supported"
        )
    card = card_behaviour(method)
    # Without an intent, the cardholder cannot be asked to authenticate.
    is_challenged = card.challenge not in (NO_CHALLENGE, IF_REQUESTED) and not method.get("_is_set_up")
    return card.decline or (AUTHENTICATION_REQUIRED if is_challenged else None)


def _source_shown(method: Body) -> Body:
    """The charge's `source`: the card in the format of the Charges API (docs: "The Card object")."""
    card, billing = method["card"], method["billing_details"]
    address = billing["address"]
    return {
        "id": f"card_1{method['id'].split('_', 1)[1][1:]}",
        "object": "card",
        "address_city": address["city"],
        "address_country": address["country"],
        "address_line1": address["line1"],
        "address_line1_check": card["checks"]["address_line1_check"],
        "address_line2": address["line2"],
        "address_state": address["state"],
        "address_zip": address["postal_code"],
        "address_zip_check": card["checks"]["address_postal_code_check"],
        "allow_redisplay": method["allow_redisplay"],
        "brand": _BRANDS.get(card["brand"], card["brand"].title()),
        "country": card["country"],
        "customer": method["customer"],
        "cvc_check": card["checks"]["cvc_check"],
        "dynamic_last4": None,
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "last4": card["last4"],
        "metadata": {},
        "name": billing["name"],
        "regulated_status": card["regulated_status"],
        "tokenization_method": None,
    }


_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "mastercard": "MasterCard",
    "unionpay": "UnionPay",
}
