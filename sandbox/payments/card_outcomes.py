"""The effects of a card's number on its charge: risk, and 3-D Secure without a challenge."""

from sandbox import identifiers
from sandbox.payments.published_cards import (
    ELEVATED_RISK,
    FRICTIONLESS,
    HIGHEST_RISK,
    NORMAL_RISK,
    THREE_D_SECURE_ERROR,
    PublishedCard,
)
from sandbox.store import Body

# Radar's score is from 0 to 99; from 65 a payment has elevated risk, from 75 the highest (docs: "Risk evaluation").
RISK_SCORES = {NORMAL_RISK: 12, ELEVATED_RISK: 67, HIGHEST_RISK: 82}
AUTHENTICATED: Body = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "version": "2.2.0",
}


def authorized_outcome(card: PublishedCard | None) -> Body:
    """The `outcome` of a successful payment; without a Radar rule, risk alone does not block a payment."""
    risk = card.risk if card else NORMAL_RISK
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": risk,
        "risk_score": RISK_SCORES[risk],
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def authentication_of(card: PublishedCard, *, was_challenged: bool, is_wanted: bool) -> Body | None:
    """A charge's `three_d_secure`; None if 3-D Secure was not used.

    `is_wanted` is the seller's `request_three_d_secure`; a card with optional 3-D Secure uses it only then.
    """
    if was_challenged:
        return AUTHENTICATED | {"transaction_id": identifiers.token(32)}
    if card.passive_authentication == FRICTIONLESS:
        frictionless = {"authentication_flow": "frictionless", "transaction_id": identifiers.token(32)}
        return AUTHENTICATED | frictionless
    if card.passive_authentication == THREE_D_SECURE_ERROR and is_wanted:
        return {
            "authentication_flow": None,
            "electronic_commerce_indicator": "07",
            "exemption_indicator": None,
            "result": "processing_error",
            "result_reason": "protocol_error",
            "transaction_id": None,
            "version": None,
        }
    return None
