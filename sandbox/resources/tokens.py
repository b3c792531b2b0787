"""Tokens for cards and bank accounts: single-use, and older than payment methods (docs: "The Token object")."""

import hashlib

from sandbox import clock, identifiers, store
from sandbox.payments.card_numbers import card_for, check_cvc, check_expiry
from sandbox.payments.method_data import check_us_account
from sandbox.payments.methods import create_card
from sandbox.payments.published_accounts import has_valid_check_digits, normalised
from sandbox.payments.published_cards import BY_ALIAS, PublishedCard
from sandbox.protocol.errors import ApiError, missing_parameter, not_in_sandbox_yet
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

TOKEN = register(Resource("token"))
BRANDS = {
    "amex": "American Express", "diners": "Diners Club", "discover": "Discover", "jcb": "JCB",
    "mastercard": "MasterCard", "unionpay": "UnionPay", "visa": "Visa",
}  # fmt: skip
ADDRESS_FIELDS = ("address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip")


@route("POST", "/v1/tokens", published("TokenCreateParams", "bank_account", "card"))
def create(call: Call) -> Body:
    if isinstance(call.get("card"), str):
        raise not_in_sandbox_yet("card")
    if "card" in call.params:
        return _card_token(call["card"])
    if "bank_account" in call.params:
        return _account_token(call["bank_account"])
    raise ApiError("You must supply either a card, customer, pii data, bank account, or account to create a token.")


def _token(kind: str, body: Body, notes: Body) -> Body:
    return store.insert(
        {
            "id": identifiers.new_id("tok_1" if kind == "card" else "btok_1", 23),
            "object": "token",
            kind: body,
            "client_ip": "127.0.0.1",
            "created": clock.now(),
            "livemode": False,
            "type": kind,
            "used": False,
            **notes,
        }
    )


def _card_token(given: Body) -> Body:
    card = card_for(given["number"])
    month, year = (_whole(given[name], f"card[{name}]") for name in ("exp_month", "exp_year"))
    full_year = check_expiry(month, year)
    if "cvc" in given:
        check_cvc(given["cvc"], card)
    return _token("card", card_body(card, given, exp_month=month, exp_year=full_year), {"_number": card.number})


def _whole(text: str, path: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ApiError(f"Invalid integer: {text}", code="parameter_invalid_integer", param=path)
    return int(text)


def card_body(card: PublishedCard, given: Body, *, exp_month: int, exp_year: int) -> Body:
    """The older `card` object, as in tokens and external accounts."""
    has_line, has_zip = bool(given.get("address_line1")), bool(given.get("address_zip"))
    return {
        "id": identifiers.new_id("card_1", 23),
        "object": "card",
        **{name: given.get(name) for name in ADDRESS_FIELDS},
        "address_line1_check": "unchecked" if has_line else None,
        "address_zip_check": "unchecked" if has_zip else None,
        "brand": BRANDS[card.brand],
        "country": card.country,
        "cvc_check": "unchecked" if "cvc" in given else None,
        "dynamic_last4": None,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": hashlib.sha256(card.number.encode()).hexdigest()[:16],
        "funding": card.funding,
        "last4": card.number[-4:],
        "metadata": {},
        "name": given.get("name"),
        "networks": {"preferred": None},
        "regulated_status": "unregulated",
        "tokenization_method": None,
    }


def _account_token(given: Body) -> Body:
    country = given["country"].upper()
    number = given["account_number"]
    if country == "US":
        if "routing_number" not in given:
            raise missing_parameter("bank_account[routing_number]")
        check_us_account(number, given["routing_number"])
    elif not has_valid_check_digits(normalised(number)):
        raise ApiError(
            "You must use a valid IBAN.", code="account_number_invalid", param="bank_account[account_number]"
        )
    routing = given.get("routing_number")
    body: Body = {
        "id": identifiers.new_id("ba_1", 23),
        "object": "bank_account",
        "account_holder_name": given.get("account_holder_name"),
        "account_holder_type": given.get("account_holder_type"),
        "account_type": given.get("account_type"),
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": given.get("currency") or ("usd" if country == "US" else "eur"),
        "fingerprint": hashlib.sha256(f"{routing}/{number}".encode()).hexdigest()[:16],
        "last4": number[-4:],
        "routing_number": routing,
        "status": "new",
    }
    return _token("bank_account", body, {"_account_number": number})


@route("GET", "/v1/tokens/:token")
def retrieve(call: Call) -> Body:
    alias = call.ids["token"].removeprefix("tok_")
    if alias in BY_ALIAS and call.ids["token"].startswith("tok_"):
        method = create_card(BY_ALIAS[alias], exp_month=12, exp_year=2034)
        details = method["card"]
        body = card_body(BY_ALIAS[alias], {}, exp_month=details["exp_month"], exp_year=details["exp_year"])
        return _token("card", body, {"_number": BY_ALIAS[alias].number})
    return fetch_from_url(TOKEN, call.ids["token"], param="token")
