"""Payment methods: cards and bank accounts as stored, and the tests they stand for."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.payments.test_cards import BY_ALIAS, BY_NUMBER, TestCard
from sandbox.payments.test_ibans import BY_IBAN, TestIban
from sandbox.protocol import errors
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body

CARD_PREFIXES = ("pm_card_", "tok_")
EMPTY_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
EMPTY_BILLING: Body = {"address": EMPTY_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


def billing_details(given: Mapping[str, Any] | None) -> Body:
    """Billing details with every key Stripe shows."""
    given = given or {}
    address = EMPTY_ADDRESS | (given.get("address") or {})
    return EMPTY_BILLING | dict(given) | {"address": address}


def _store(kind: str, details: Body, notes: Body, billing: Mapping[str, Any] | None, metadata: Body | None) -> Body:
    return store.insert(
        {
            "id": identifiers.new_id("pm_1", 23),
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(billing),
            "created": clock.now(),
            "customer": None,
            "customer_account": None,
            "livemode": False,
            "metadata": metadata or {},
            "type": kind,
            kind: details,
            **notes,
        }
    )


def create_card(
    card: TestCard,
    *,
    exp_month: int,
    exp_year: int,
    billing: Mapping[str, Any] | None = None,
    metadata: Body | None = None,
) -> Body:
    """A card payment method; the full number stays the sandbox's own note."""
    fingerprint = hashlib.sha256(card.number.encode()).hexdigest()[:16]
    details = {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": card.cvc_check},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.number[-4:],
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _store("card", details, {"_number": card.number}, billing, metadata)


def create_sepa_debit(iban: str, *, billing: Mapping[str, Any] | None, metadata: Body | None = None) -> Body:
    """A bank account to debit."""
    details = {
        "bank_code": iban[4:9],
        "branch_code": "",
        "country": iban[:2],
        "fingerprint": hashlib.sha256(iban.encode()).hexdigest()[:16],
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }
    return _store("sepa_debit", details, {"_iban": iban}, billing, metadata)


def resolve(given: str, *, param: str = "payment_method") -> Body:
    """The payment method a parameter names. Every use of a `pm_card_…` alias makes a new one, as at Stripe."""
    for prefix in CARD_PREFIXES:
        card = BY_ALIAS.get(given.removeprefix(prefix)) if given.startswith(prefix) else None
        if card:
            return create_card(card, exp_month=12, exp_year=2034)
    if given.startswith(CARD_PREFIXES):
        raise errors.no_such("PaymentMethod", given, param=param)
    return fetch_from_parameter("payment_method", given, param=param)


def card_behaviour(method: Body) -> TestCard:
    """The card's behaviour."""
    return BY_NUMBER[method["_number"]]


def iban_behaviour(method: Body) -> TestIban:
    """The bank account's behaviour; an unlisted one succeeds."""
    return BY_IBAN.get(method["_iban"]) or TestIban(method["_iban"], "succeeds", succeeds=True)
