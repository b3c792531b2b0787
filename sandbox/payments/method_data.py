"""Create payment methods from a client's data: `payment_method_data`, or the parameters of a creation."""

from sandbox import store
from sandbox.payments.card_numbers import card_for, check_cvc, check_expiry
from sandbox.payments.methods import (
    billing_details,
    create_card,
    create_sepa_debit,
    create_us_bank_account,
    from_alias,
)
from sandbox.payments.published_accounts import has_valid_check_digits, is_routing_number, normalised
from sandbox.payments.published_cards import BY_NUMBER
from sandbox.protocol.errors import ApiError, missing_parameter, no_such, not_in_sandbox_yet
from sandbox.protocol.parameters import merge_metadata
from sandbox.store import Body

SHORTEST_ACCOUNT, LONGEST_ACCOUNT = 4, 17


def create_from_data(data: Body) -> Body:
    """Create a payment method. Raises Stripe's 402 for an invalid card and 400 for an invalid account."""
    makers = {"card": _card, "sepa_debit": _sepa_debit, "us_bank_account": _us_bank_account}
    if data["type"] not in makers:
        raise not_in_sandbox_yet("type")
    method = makers[data["type"]](data, merge_metadata({}, data.get("metadata")))
    if "allow_redisplay" in data:
        method["allow_redisplay"] = data["allow_redisplay"]
        store.save(method)
    return method


def _card(data: Body, metadata: Body) -> Body:
    given = data.get("card")
    if not given:
        raise missing_parameter("card")
    if "token" in given:
        return card_from_token(given["token"], billing=data.get("billing_details"), metadata=metadata)
    for name in ("number", "exp_month", "exp_year"):
        if name not in given:
            raise missing_parameter(f"card[{name}]")
    card = card_for(given["number"])
    year = check_expiry(given["exp_month"], given["exp_year"])
    if "cvc" in given:
        check_cvc(given["cvc"], card)
    return create_card(
        card,
        exp_month=given["exp_month"],
        exp_year=year,
        billing=data.get("billing_details"),
        metadata=metadata,
        is_cvc_given="cvc" in given,
    )


def card_from_token(token_id: str, *, billing: Body | None, metadata: Body) -> Body:
    """Create a card from a stored token or a published one. Raises a 400 if there is none or it was used."""
    token = store.find("token", token_id)
    if token is None:
        method = from_alias(token_id) if token_id.startswith("tok_") else None
        if method is None:
            raise no_such("token", token_id, param="card[token]")
        return store.save(method | _with_billing(method, billing) | {"metadata": metadata})
    use_token(token)
    if token["type"] != "card":
        raise ApiError("The token you provided does not hold a card.", param="card[token]")
    card, given = BY_NUMBER[token["_number"]], token["card"]
    name = {"name": given["name"]} if given["name"] else {}
    return create_card(
        card,
        exp_month=given["exp_month"],
        exp_year=given["exp_year"],
        billing=name | (billing or {}),
        metadata=metadata,
        is_cvc_given=bool(given["cvc_check"]),
    )


def _with_billing(method: Body, billing: Body | None) -> Body:
    return {"billing_details": billing_details(method["billing_details"] | (billing or {}))}


def use_token(token: Body) -> None:
    """Mark a token as used. Raises Stripe's 400 if it was used before."""
    if token["used"]:
        raise ApiError(
            f"You cannot use a Stripe token more than once: {token['id']}.", code="token_already_used", param="token"
        )
    store.save(token | {"used": True})


def _sepa_debit(data: Body, metadata: Body) -> Body:
    iban = normalised(data.get("sepa_debit", {}).get("iban", ""))
    if not has_valid_check_digits(iban):
        raise ApiError("The IBAN you provided is invalid.", code="invalid_bank_account_iban", param="sepa_debit[iban]")
    return create_sepa_debit(iban, billing=data.get("billing_details"), metadata=metadata)


def _us_bank_account(data: Body, metadata: Body) -> Body:
    given = data.get("us_bank_account")
    if not given:
        raise missing_parameter("us_bank_account")
    for name in ("account_holder_type", "account_number", "routing_number"):
        if name not in given:
            raise missing_parameter(f"us_bank_account[{name}]")
    if not (data.get("billing_details") or {}).get("name"):
        raise missing_parameter("billing_details[name]")
    check_us_account(given["account_number"], given["routing_number"])
    return create_us_bank_account(
        given["account_number"],
        routing_number=given["routing_number"],
        account_holder_type=given["account_holder_type"],
        account_type=given.get("account_type", "checking"),
        billing=data["billing_details"],
        metadata=metadata,
    )


def check_us_account(account_number: str, routing_number: str) -> None:
    """Raise Stripe's 400 for an invalid account number or routing number."""
    if not is_routing_number(routing_number):
        raise ApiError(
            "Invalid routing number. The number should have 9 digits.",
            code="routing_number_invalid",
            param="us_bank_account[routing_number]",
        )
    is_number = account_number.isascii() and account_number.isdigit()
    if not is_number or not SHORTEST_ACCOUNT <= len(account_number) <= LONGEST_ACCOUNT:
        raise ApiError(
            "Invalid account number. The number should have at least 4 and at most 17 digits.",
            code="account_number_invalid",
            param="us_bank_account[account_number]",
        )
