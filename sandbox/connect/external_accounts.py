"""Bank accounts that payouts go to (docs: "External accounts").

A bank account belongs to one account; the first of a currency is that currency's default.
"""

import hashlib

from sandbox import identifiers, store
from sandbox.connect.differences import difference
from sandbox.connect.published_banks import PUBLISHED, ROUTING_NUMBER, TOKENS, has_valid_routing_number
from sandbox.payments.fees import default_currency
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.protocol.parameters import merge_metadata
from sandbox.protocol.resource import presented
from sandbox.store import Body
from sandbox.webhooks.events import emit

ERRORED = "errored"
_IBAN_COUNTRY = 2


def bank_accounts_of(account_id: str) -> list[Body]:
    """The bank accounts of an account that are not deleted, newest first."""
    with store.acting_for(account_id):
        rows = store.rows("bank_account").order_by("-sequence")
        return [dict(body) for body in rows.values_list("body", flat=True)]


def default_bank(account_id: str, currency: str) -> Body | None:
    """The bank account for payouts in a currency."""
    with store.acting_for(account_id):
        rows = store.rows("bank_account").filter(currency=currency, body__default_for_currency=True)
        return rows.order_by("-sequence").values_list("body", flat=True).first()


def has_working_bank(account_id: str) -> bool:
    """Whether there is a bank account whose last payout was not returned."""
    with store.acting_for(account_id):
        return store.rows("bank_account").exclude(status=ERRORED).exists()


def read_bank(given: Body | str, *, param: str = "external_account") -> Body:
    """The details of a bank account, given as a hash or as a token. Raises Stripe's error for impossible ones."""
    if isinstance(given, str):
        return _read_token(given, param)
    details = {"currency": default_currency(given["country"])} | given
    if details["country"] == "US":
        _check_american(details, param)
    elif details["account_number"][:_IBAN_COUNTRY].isalpha() and len(details["account_number"]) < 15:  # noqa: PLR2004
        raise _wrong_number("Invalid IBAN.", param)
    return details


def _read_token(given: str, param: str) -> Body:
    """The details behind a published token, or behind one made from a bank account earlier."""
    if given in TOKENS:
        return {"account_number": TOKENS[given], "country": "US", "currency": "usd", "routing_number": ROUTING_NUMBER}
    token = store.find("token", given)
    if token is None or token["type"] != "bank_account":
        raise no_such("token", given, param=param)
    details: Body = token["bank_account"]
    return details | {"account_number": token["_account_number"]}


def _check_american(details: Body, param: str) -> None:
    routing = details.get("routing_number")
    if not routing:
        raise missing_parameter(f"{param}[routing_number]")
    if not has_valid_routing_number(routing):
        raise ApiError(f"Invalid routing number for US: {routing}", code="routing_number_invalid", param=param)
    if details["account_number"] not in PUBLISHED:
        raise _wrong_number(
            "You must use a test bank account number when making transfers in test mode. Try 000123456789 or find "
            "more options at https://stripe.com/docs/connect/testing#account-numbers.",
            param,
        )


def _wrong_number(message: str, param: str) -> ApiError:
    return ApiError(message, code="account_number_invalid", param=f"{param}[account_number]")


def add_bank(
    account_id: str,
    details: Body,
    *,
    is_default: bool | None,
    metadata: Body | None = None,
    is_announced: bool = True,
) -> Body:
    """A stored bank account; emits account.external_account.created."""
    currency = details["currency"]
    is_first = default_bank(account_id, currency) is None
    bank: Body = {
        "id": identifiers.new_id("ba_1", 23),
        "object": "bank_account",
        "account": account_id,
        "account_holder_name": details.get("account_holder_name"),
        "account_holder_type": details.get("account_holder_type"),
        "account_type": None,
        "available_payout_methods": ["standard"],
        "bank_name": "STRIPE TEST BANK",
        "country": details["country"],
        "currency": currency,
        "default_for_currency": is_first or bool(is_default),
        "fingerprint": hashlib.sha256(f"{account_id}{details['account_number']}".encode()).hexdigest()[:16],
        "last4": details["account_number"][-4:],
        "metadata": merge_metadata({}, metadata),
        "routing_number": details.get("routing_number"),
        "status": "new",
        "_number": details["account_number"],
    }
    bank |= {name: _nothing_due() for name in ("requirements", "future_requirements")}
    with store.acting_for(account_id):
        if bank["default_for_currency"]:
            _unset_default(account_id, currency)
        store.insert(bank)
        if is_announced:
            emit("account.external_account.created", bank)
    return bank


def _nothing_due() -> Body:
    return {name: [] for name in ("currently_due", "errors", "past_due", "pending_verification")}


def _unset_default(account_id: str, currency: str) -> None:
    former = default_bank(account_id, currency)
    if former:
        store.save(former | {"default_for_currency": False})


def update_bank(bank: Body, change: Body) -> Body:
    """Change a bank account; one that failed becomes usable again. Emits account.external_account.updated."""
    before = dict(bank)
    change = dict(change)
    if "metadata" in change:
        change["metadata"] = merge_metadata(bank["metadata"], change["metadata"])
    with store.acting_for(bank["account"]):
        if change.pop("default_for_currency", False) and not bank["default_for_currency"]:
            _unset_default(bank["account"], bank["currency"])
            bank["default_for_currency"] = True
        bank |= change
        if change.keys() & {"account_holder_name", "account_holder_type", "account_type"}:
            bank["status"] = "new"
        return _saved(bank, before)


def mark_errored(bank: Body) -> Body:
    """Mark the bank account of a returned payout: it gets no more until it is corrected (docs: "Payouts", failures)."""
    before = dict(bank)
    bank["status"] = ERRORED
    with store.acting_for(bank["account"]):
        return _saved(bank, before, is_automatic=True)


def _saved(bank: Body, before: Body, *, is_automatic: bool = False) -> Body:
    previous = difference(presented(before), presented(bank))
    if previous:
        store.save(bank)
        emit("account.external_account.updated", bank, previous=previous, is_automatic=is_automatic)
    return bank


def remove_bank(bank: Body) -> Body:
    """Delete a bank account. Raises for the default one. Emits account.external_account.deleted."""
    if bank["default_for_currency"] and len(bank_accounts_of(bank["account"])) > 1:
        raise ApiError(
            "You cannot delete the default external account for your default currency. Please make another external "
            "account the default using the `default_for_currency` param, and then delete this one.",
        )
    with store.acting_for(bank["account"]):
        stub = store.mark_deleted(bank)
        emit("account.external_account.deleted", bank)
    return stub | {"currency": bank["currency"]}
