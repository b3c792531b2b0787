"""Charges: one for each attempt to take a payment, successful or not."""

from sandbox import clock, identifiers, schedule, store
from sandbox.options import options
from sandbox.payments.card_outcomes import RISK_SCORES, authentication_of, authorized_outcome
from sandbox.payments.declines import NO_DETAILS, Decline
from sandbox.payments.methods import card_behaviour
from sandbox.payments.published_cards import BY_NUMBER, HIGHEST_RISK
from sandbox.store import Body

AUTHORIZATION_SECONDS = 7 * 24 * 3600
# A test card's dispute or fraud warning follows this many settle delays after the payment: soon after its settlement.
AFTERMATH_DELAYS = 1.5
_COPIED = (
    "amount", "currency", "customer", "description", "on_behalf_of", "receipt_email", "shipping",
    "statement_descriptor", "statement_descriptor_suffix", "transfer_group", "application",
    "application_fee_amount",
)  # fmt: skip
_EMPTY = (
    "application_fee", "balance_transaction", "calculated_statement_descriptor", "destination", "dispute",
    "failure_balance_transaction", "failure_code", "failure_message", "order", "receipt_number",
    "receipt_url", "review", "source", "source_transfer", "transfer_data",
)  # fmt: skip

_BANK_FIELDS = {
    "sepa_debit": ("bank_code", "branch_code", "country", "fingerprint", "last4"),
    "us_bank_account": (
        "account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number",
    ),
}  # fmt: skip


def build_charge(intent: Body, method: Body, *, three_d_secure: bool = False) -> Body:
    """Build a charge for an intent without storing it; its metadata is a copy of the intent's (docs: "Metadata")."""
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
        "outcome": authorized_outcome(card_behaviour(method) if method["type"] == "card" else None),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": payment_method_details(
            method, intent["amount"], was_challenged=three_d_secure, wants_three_d_secure=_wants_three_d_secure(intent)
        ),
        "radar_options": {},
        "refunded": False,
        "status": "pending",
    }
    if intent.get("transfer_data"):
        charge["transfer_data"] = {"amount": None} | intent["transfer_data"]
        charge["destination"] = intent["transfer_data"]["destination"]
    return charge


def _wants_three_d_secure(intent: Body) -> bool:
    card_options = (intent.get("payment_method_options") or {}).get("card") or {}
    return card_options.get("request_three_d_secure") in ("any", "challenge")


def payment_method_details(method: Body, amount: int, *, was_challenged: bool, wants_three_d_secure: bool) -> Body:
    """The payment method's details at the time of the charge."""
    if method["type"] in _BANK_FIELDS:
        bank = {key: method[method["type"]][key] for key in _BANK_FIELDS[method["type"]]}
        # The debit sets the mandate.
        return {method["type"]: bank | {"mandate": None}, "type": method["type"]}
    card = method["card"]
    copied = ("brand", "country", "exp_month", "exp_year", "fingerprint", "funding", "last4", "regulated_status")
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
        "three_d_secure": authentication_of(
            card_behaviour(method), was_challenged=was_challenged, is_wanted=wants_three_d_secure
        ),
        "wallet": None,
    }
    return {"card": details, "type": "card"}


def mark_failed(charge: Body, decline: Decline) -> None:
    """Mark a charge as refused by the bank or by Radar; the caller stores it."""
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
            "risk_level": HIGHEST_RISK if is_blocked else charge["outcome"]["risk_level"],
            "risk_score": RISK_SCORES[HIGHEST_RISK] if is_blocked else charge["outcome"]["risk_score"],
            "seller_message": "Stripe blocked this payment as too risky." if is_blocked else NO_DETAILS,
            "type": "blocked" if is_blocked else "issuer_declined",
        },
    }
    if charge["payment_method_details"]["type"] == "card":
        charge["payment_method_details"]["card"]["amount_authorized"] = None


def mark_succeeded(charge: Body, *, amount_captured: int | None) -> None:
    """Mark a charge as successful; with `amount_captured` None it is only authorised. The caller stores it.

    Schedules the later effects of its card, or the expiry of an authorisation.
    """
    charge |= {
        "status": "succeeded",
        "paid": True,
        "captured": amount_captured is not None,
        "amount_captured": amount_captured or 0,
        "receipt_url": f"{options().public_url}/receipts/{charge['id']}",
    }
    if amount_captured is None:
        _let_expire(charge)
    else:
        schedule_aftermath(charge)


def _let_expire(charge: Body) -> None:
    """An authorisation lasts seven days (docs: "Place a hold on a payment method")."""
    expires_at = charge["created"] + AUTHORIZATION_SECONDS
    charge["payment_method_details"].get("card", {})["capture_before"] = expires_at
    schedule.schedule("expire_authorization", charge["id"], at=expires_at)


def schedule_aftermath(charge: Body) -> None:
    """Schedule the dispute or fraud warning for which the charge's card is published."""
    card = BY_NUMBER.get(charge.get("_number", ""))
    if card and (card.disputes or card.is_reported_as_fraud):
        schedule.schedule("card_aftermath", charge["id"], after=options().settle_delay * AFTERMATH_DELAYS)


def note_card_behaviour(charge: Body, method: Body) -> None:
    """Record the card's number on the charge, because its refunds and funds depend on the card."""
    if method["type"] == "card":
        card = card_behaviour(method)
        charge["_number"] = card.number


def settle_later(charge: Body) -> None:
    """Schedule the balance transaction, seconds after the charge (docs: "Asynchronous capture")."""
    schedule.schedule("settle_charge", charge["id"], after=options().settle_delay)


def stored(charge: Body) -> Body:
    """Store a new charge."""
    return store.insert(charge)
