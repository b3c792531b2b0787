"""Charges: one per attempt to take money, successful or not."""

from typing import Any

from sandbox import clock, identifiers, schedule, store
from sandbox.options import options
from sandbox.payments.declines import NO_DETAILS, Decline
from sandbox.payments.methods import card_behaviour
from sandbox.store import Body

AUTHORIZED: Body = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 12,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
AUTHENTICATED: Body = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "version": "2.2.0",
}
_COPIED = (
    "amount", "currency", "customer", "description", "on_behalf_of", "receipt_email", "shipping",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_group", "application_fee_amount",
)  # fmt: skip
_EMPTY = (
    "application", "application_fee", "balance_transaction", "calculated_statement_descriptor",
    "failure_balance_transaction", "failure_code", "failure_message", "receipt_number",
    "receipt_url", "review", "source", "source_transfer", "transfer_data",
)  # fmt: skip


def build_charge(intent: Body, method: Body, *, three_d_secure: bool = False) -> Body:
    """A charge for an intent, not yet stored; its metadata is a copy of this moment (docs: "Metadata")."""
    prefix = "ch_3" if method["type"] == "card" else "py_3"
    charge: Body = {
        "id": identifiers.sibling_id(prefix, intent["id"]),
        "object": "charge",
        **{key: intent.get(key) for key in _COPIED},
        **dict.fromkeys(_EMPTY),
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "captured": False,
        "created": clock.now(),
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": dict(AUTHORIZED),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": payment_method_details(method, intent["amount"], three_d_secure=three_d_secure),
        "radar_options": {},
        "refunded": False,
        "status": "pending",
    }
    return charge


def payment_method_details(method: Body, amount: int, *, three_d_secure: bool) -> Body:
    """How it was paid, frozen into the charge."""
    if method["type"] == "sepa_debit":
        bank = {key: method["sepa_debit"][key] for key in ("bank_code", "branch_code", "country", "fingerprint")}
        mandate = identifiers.new_id("mandate_1", 23)
        return {"sepa_debit": bank | {"last4": method["sepa_debit"]["last4"], "mandate": mandate}, "type": "sepa_debit"}
    card = method["card"]
    copied = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status")
    authentication: Any = None
    if three_d_secure:
        authentication = AUTHENTICATED | {"transaction_id": identifiers.token(32)}
    details = {key: card[key] for key in copied} | {
        "amount_authorized": amount,
        "authorization_code": f"{int.from_bytes(method['id'].encode()[-3:], 'big') % 1_000_000:06d}",
        "checks": card["checks"],
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": identifiers.token(15),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "three_d_secure": authentication,
        "wallet": None,
    }
    return {"card": details, "type": "card"}


def mark_failed(charge: Body, decline: Decline) -> None:
    """Make a charge one that the bank, or Radar, refused."""
    is_blocked = decline.is_blocked
    charge |= {
        "status": "failed",
        "paid": False,
        "captured": False,
        "failure_code": decline.code,
        "failure_message": decline.message,
        "outcome": {
            "advice_code": None if is_blocked else decline.advice_code,
            "network_advice_code": None,
            "network_decline_code": decline.network_decline_code,
            "network_status": "not_sent_to_network" if is_blocked else "declined_by_network",
            "reason": decline.reason,
            "risk_level": "highest" if is_blocked else "normal",
            "risk_score": 94 if is_blocked else 12,
            "seller_message": "Stripe blocked this payment as too risky." if is_blocked else NO_DETAILS,
            "type": "blocked" if is_blocked else "issuer_declined",
        },
    }
    if charge["payment_method_details"]["type"] == "card":
        charge["payment_method_details"]["card"]["amount_authorized"] = None


def mark_succeeded(charge: Body, *, amount_captured: int | None) -> None:
    """Make a charge one that went through; `amount_captured` None leaves it authorised only."""
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": amount_captured is not None,
        "amount_captured": amount_captured or 0,
        "receipt_url": f"{options().public_url}/receipts/{charge['id']}",
    }


def note_card_behaviour(charge: Body, method: Body) -> None:
    """Remember on the charge what its card does later: refunds and funds depend on it."""
    if method["type"] == "card":
        card = card_behaviour(method)
        charge["_number"] = card.number


def settle_later(charge: Body) -> None:
    """The balance transaction comes seconds after the charge (docs: "Asynchronous capture")."""
    schedule.schedule("settle_charge", charge["id"], after=options().settle_delay)


def stored(charge: Body) -> Body:
    """Keep a new charge."""
    return store.insert(charge)
