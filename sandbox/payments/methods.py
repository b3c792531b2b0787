"""Payment methods: stored cards and bank accounts, and the published test behaviour of each."""

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox import clock, identifiers, store
from sandbox.payments.card_checks import checks_of
from sandbox.payments.published_accounts import BY_ALIAS as ACCOUNTS_BY_ALIAS
from sandbox.payments.published_accounts import BY_NUMBER as ACCOUNTS_BY_NUMBER
from sandbox.payments.published_accounts import ROUTING_NUMBER, BankAccount
from sandbox.payments.published_cards import BY_ALIAS, BY_NUMBER, PublishedCard
from sandbox.protocol.resource import fetch_from_parameter
from sandbox.store import Body

CARD_PREFIXES = ("pm_card_", "tok_")
ACCOUNT_ALIASES = {f"pm_usBankAccount_{alias}": account for alias, account in ACCOUNTS_BY_ALIAS.items()} | {
    "pm_usBankAccount": ACCOUNTS_BY_ALIAS["success"]
}
EMPTY_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}
EMPTY_BILLING: Body = {"address": EMPTY_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


def complete_shipping(given: Body | None) -> Body | None:
    """Shipping details with all of Stripe's keys."""
    if not given:
        return None
    address = EMPTY_ADDRESS | (given.get("address") or {})
    return {"carrier": None, "phone": None, "tracking_number": None} | given | {"address": address}


def billing_details(given: Mapping[str, Any] | None) -> Body:
    """Billing details with all of Stripe's keys."""
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


def create_card(  # noqa: PLR0913 -- the parts of a card
    card: PublishedCard,
    *,
    exp_month: int,
    exp_year: int,
    billing: Mapping[str, Any] | None = None,
    metadata: Body | None = None,
    is_cvc_given: bool = True,
) -> Body:
    """Create a card payment method; the full number is an internal key that clients do not see."""
    fingerprint = hashlib.sha256(card.number.encode()).hexdigest()[:16]
    details = {
        "brand": card.brand,
        "checks": checks_of(card, billing, is_cvc_given=is_cvc_given),
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
    """Create a bank account for SEPA debits."""
    details = {
        "bank_code": iban[4:9],
        "branch_code": "",
        "country": iban[:2],
        "fingerprint": hashlib.sha256(iban.encode()).hexdigest()[:16],
        "generated_from": {"charge": None, "setup_attempt": None},
        "last4": iban[-4:],
    }
    return _store("sepa_debit", details, {"_iban": iban}, billing, metadata)


def create_us_bank_account(  # noqa: PLR0913 -- the parts of an account
    account_number: str,
    *,
    routing_number: str = ROUTING_NUMBER,
    account_holder_type: str = "individual",
    account_type: str = "checking",
    billing: Mapping[str, Any] | None = None,
    metadata: Body | None = None,
) -> Body:
    """Create a bank account for ACH debits; the full number is an internal key that clients do not see."""
    details = {
        "account_holder_type": account_holder_type,
        "account_type": account_type,
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": hashlib.sha256(f"{routing_number}/{account_number}".encode()).hexdigest()[:16],
        "last4": account_number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": routing_number,
        "status_details": {},
    }
    return _store("us_bank_account", details, {"_account_number": account_number}, billing, metadata)


def resolve(given: str, *, param: str = "payment_method") -> Body:
    """The payment method that a parameter names.

    Each use of an alias (`pm_card_…`, `tok_…`, `pm_usBankAccount_…`) creates a new one, as at Stripe.
    """
    made = from_alias(given)
    return made or fetch_from_parameter("payment_method", given, param=param)


def from_alias(given: str) -> Body | None:
    """Create a payment method from one of Stripe's published aliases; None if it is not one of them."""
    for prefix in CARD_PREFIXES:
        card = BY_ALIAS.get(given.removeprefix(prefix)) if given.startswith(prefix) else None
        if card:
            return create_card(card, exp_month=12, exp_year=2034)
    if given in ACCOUNT_ALIASES:
        return create_us_bank_account(ACCOUNT_ALIASES[given].number, billing={"name": "Jenny Rosen"})
    return None


def card_behaviour(method: Body) -> PublishedCard:
    """The published card that decides how the method behaves."""
    return BY_NUMBER[method["_number"]]


def account_behaviour(method: Body) -> BankAccount:
    """The published account that decides how the method behaves; an unlisted one succeeds."""
    number = method.get("_iban") or method["_account_number"]
    return ACCOUNTS_BY_NUMBER.get(number) or BankAccount(number, "succeeds")
