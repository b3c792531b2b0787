"""Accounts: the platform's own and those connected to it (docs: "The Account object")."""

import re
from typing import Any

from sandbox import clock, store
from sandbox.connect.account_shapes import CONTROLLERS, blank_account, empty_settings
from sandbox.connect.accounts import (
    controller_for,
    create_account,
    delete_account,
    reject_account,
    update_account,
    write_bank_list,
)
from sandbox.connect.external_accounts import add_bank
from sandbox.connect.published_banks import PAYS_OUT, ROUTING_NUMBER
from sandbox.connect.requirements import is_collected_by_stripe, is_platform
from sandbox.options import options
from sandbox.payments.fees import default_currency
from sandbox.protocol.authentication import no_access
from sandbox.protocol.errors import ApiError, invalid_choice
from sandbox.protocol.listing import page
from sandbox.protocol.parameters import Currency, Either, Hash, Spec, Text
from sandbox.protocol.published import published
from sandbox.protocol.resource import Resource, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

ACCOUNT = register(Resource("account"))
NAME = "Lectern sandbox"
REJECTIONS = ("fraud", "other", "terms_of_service")
PAGING = ("limit", "starting_after", "ending_before")
ADDRESSES = tuple(f"address.{part}" for part in ("city", "country", "line1", "line2", "postal_code", "state"))
PERSON = (
    "dob", "email", "first_name", "gender", "id_number", "last_name", "maiden_name", "metadata", "phone",
    "political_exposure", "relationship", "ssn_last_4", *ADDRESSES,
)  # fmt: skip
COMPANY = (
    "directors_provided", "executives_provided", "name", "owners_provided", "phone", "registration_number",
    "structure", "tax_id", "vat_id", *ADDRESSES,
)  # fmt: skip
SETTINGS = (
    "branding.primary_color", "branding.secondary_color", "card_payments", "payments",
    "payouts.debit_negative_balances", "payouts.schedule", "payouts.statement_descriptor",
)  # fmt: skip
FIELDS = (
    "business_profile", "business_type", "capabilities", "default_currency", "metadata", "tos_acceptance",
    *(f"individual.{name}" for name in PERSON), *(f"company.{name}" for name in COMPANY),
    *(f"settings.{name}" for name in SETTINGS),
)  # fmt: skip
COUNTRY = re.compile("[A-Z]{2}")
# Stripe also allows debit cards as external accounts; the sandbox supports bank accounts only.
EXTERNAL_ACCOUNT = Either(
    Hash(
        {
            "object": Text(choices=("bank_account",)),
            "account_holder_name": Text(),
            "account_holder_type": Text(choices=("company", "individual")),
            "account_number": Text(),
            "country": Text(),
            "currency": Currency(),
            "routing_number": Text(),
        },
        required=("object", "account_number", "country"),
    ),
    Text(),
)
SIMPLE: dict[str, Spec] = {"email": Text(max_length=512), "external_account": EXTERNAL_ACCOUNT}


def ensure_platform_account() -> Body:
    """The account that the secret key belongs to, created at the first start with a bank account for payouts."""
    account_id = options().account_id
    return store.find("account", account_id) or _create_platform_account(account_id)


def _create_platform_account(account_id: str) -> Body:
    country = options().account_country
    account = blank_account(country=country, created=clock.now()) | {
        "id": account_id,
        "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "details_submitted": True,
        "email": "sandbox@example.com",
        "payouts_enabled": True,
        # Payouts are manual by default, so that advancing the clock by weeks does not empty a test's balance.
        "settings": empty_settings(display_name=NAME, interval="manual"),
        "type": "standard",
    }
    account["business_profile"]["name"] = NAME
    account["settings"]["payments"]["statement_descriptor"] = "SANDBOX"
    store.insert(account)
    bank = {
        "account_holder_name": NAME,
        "account_holder_type": "company",
        "account_number": PAYS_OUT,
        "country": country,
        "currency": default_currency(country),
        "routing_number": ROUTING_NUMBER if country == "US" else None,
    }
    add_bank(account_id, bank, is_default=True, is_announced=False)
    write_bank_list(account)
    return store.save(account)


def named_account(call: Call) -> Body:
    """The account in the URL: the caller's own, or one connected to it. Raises Stripe's 403 for any other."""
    return reachable_account(call.ids["account"])


def reachable_account(account_id: str) -> Body:
    """An account by its id, if the acting account has access to it; a connected account has access only to itself."""
    account = store.find("account", account_id)
    is_own = account_id == store.acting_account()
    if account is None or account.get("deleted") or not (is_own or store.acting_account() == options().account_id):
        raise no_access(account_id)
    return account


@route("GET", "/v1/account", published("AccountRetrieveCurrentParams"))
def own_account(_: Call) -> Body:
    return reachable_account(store.acting_account())


@route("GET", "/v1/accounts/:account", published("AccountRetrieveParams"))
def retrieve(call: Call) -> Body:
    return named_account(call)


@route("GET", "/v1/accounts", published("AccountListParams", *PAGING, "created"))
def list_accounts(call: Call) -> Body:
    # The platform's own account is not among those connected to it.
    connected = store.rows("account").exclude(object_id=options().account_id)
    return page(ACCOUNT, call, url="/v1/accounts", rows=connected)


@route(
    "POST",
    "/v1/accounts",
    published("AccountCreateParams", *FIELDS, "controller", "country", type=Text(choices=tuple(CONTROLLERS)), **SIMPLE),
)
def create(call: Call) -> Body:
    if store.acting_account() != options().account_id:
        raise ApiError(
            "You can only create new accounts if you've signed up for Connect, which you can do at "
            "https://dashboard.stripe.com/connect."
        )
    controller = _controller(call)
    country = call.get("country", options().account_country)
    if not COUNTRY.fullmatch(country):
        raise ApiError(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country code instead, such as "
            "'US', 'EG', or 'GB'. A full list of country codes is available at "
            "https://stripe.com/docs/connect/supported-countries",
            param="country",
        )
    _check_terms(controller, call)
    kind = call.get("type") or ("none" if "controller" in call.params else "standard")
    return create_account(kind=kind, controller=controller, country=country, fields=_fields(call))


def _controller(call: Call) -> Body:
    if "type" in call.params and "controller" in call.params:
        raise ApiError(
            "You may not provide the `type` parameter and `controller` parameters simultaneously. They are mutually "
            "exclusive.",
            param="controller",
        )
    controller = controller_for(call.get("type"), call.get("controller"))
    if controller["requirement_collection"] == "application" and controller["stripe_dashboard"]["type"] != "none":
        raise ApiError(
            "When `controller[requirement_collection]` is `application`, `controller[stripe_dashboard][type]` must be "
            "`none`.",
            param="controller",
        )
    return controller


def _fields(call: Call) -> dict[str, Any]:
    # Only metadata may be empty, which clears it.
    given = {name: value for name, value in call.params.items() if value is not None or name == "metadata"}
    return {name: value for name, value in given.items() if name not in ("expand", "type", "controller", "country")}


def _check_terms(controller: Body, call: Call) -> None:
    terms = call.get("tos_acceptance") or {}
    if controller.get("requirement_collection") == "stripe" and {"date", "ip"} & terms.keys():
        raise ApiError(
            "You cannot accept the Terms of Service on behalf of Standard and Express connected accounts.",
            param="tos_acceptance",
        )


@route("POST", "/v1/accounts/:account", published("AccountUpdateParams", *FIELDS, **SIMPLE))
def update(call: Call) -> Body:
    account = named_account(call)
    if is_platform(account) and call.params.keys() - {"expand", "metadata", "settings"}:
        raise ApiError("You cannot update your own account with this parameter over the API; use the Dashboard.")
    _check_terms(account["controller"], call)
    if account.get("details_submitted") and is_collected_by_stripe(account) and "individual" in call.params:
        raise ApiError(
            "You cannot change `individual` via API if an account is verified, for accounts whose requirements Stripe "
            "collects.",
            param="individual",
        )
    return update_account(account, _fields(call))


@route("DELETE", "/v1/accounts/:account", published("AccountDeleteParams"))
def delete(call: Call) -> Body:
    account = _connected(call)
    return delete_account(account)


@route("POST", "/v1/accounts/:account/reject", published("AccountRejectParams", "reason"))
def reject(call: Call) -> Body:
    account = _connected(call)
    if call["reason"] not in REJECTIONS:
        raise invalid_choice("reason", REJECTIONS)
    return reject_account(account, call["reason"])


def _connected(call: Call) -> Body:
    account = named_account(call)
    if is_platform(account) or store.acting_account() != options().account_id:
        raise ApiError("Only a platform can do this, and only to an account that is connected to it.", status=403)
    return account
