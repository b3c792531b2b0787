"""The platform's own account (docs: "The Account object")."""

from sandbox import clock, store
from sandbox.options import options
from sandbox.payments.fees import default_currency
from sandbox.protocol.listing import as_list, empty_list_route
from sandbox.protocol.resource import Resource, fetch_from_url, register
from sandbox.protocol.routing import Call, route
from sandbox.store import Body

ACCOUNT = register(Resource("account"))
NO_REQUIREMENTS: Body = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}


def ensure_platform_account() -> Body:
    """The account the secret key belongs to, made at the first start."""
    account_id = options().account_id
    return store.find("account", account_id) or store.insert(_platform_account(account_id))


def _platform_account(account_id: str) -> Body:
    return {
        "id": account_id,
        "object": "account",
        "business_profile": {"mcc": None, "name": "Lectern sandbox", "support_email": None, "url": None},
        "business_type": None,
        "capabilities": {"card_payments": "active", "sepa_debit_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": options().account_country,
        "created": clock.now(),
        "default_currency": default_currency(options().account_country),
        "details_submitted": True,
        "email": "sandbox@example.com",
        "external_accounts": as_list([], url=f"/v1/accounts/{account_id}/external_accounts") | {"total_count": 0},
        "future_requirements": NO_REQUIREMENTS,
        "metadata": {},
        "payouts_enabled": True,
        "requirements": NO_REQUIREMENTS,
        "settings": _settings(),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": "standard",
    }


def _settings() -> Body:
    # No icon and no logo: clients that mirror the account would ask for those files.
    return {
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
        },
        "dashboard": {"display_name": "Lectern sandbox", "timezone": "Etc/UTC"},
        "payments": {"statement_descriptor": "SANDBOX"},
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
    }


@route("GET", "/v1/account")
def own_account(_: Call) -> Body:
    return fetch_from_url(ACCOUNT, store.acting_account(), param="account")


@route("GET", "/v1/accounts/:account")
def one_account(call: Call) -> Body:
    return fetch_from_url(ACCOUNT, call.ids["account"], param="account")


@route("GET", "/v1/accounts/:account/capabilities")
def capabilities(call: Call) -> Body:
    account = fetch_from_url(ACCOUNT, call.ids["account"], param="account")
    items = [
        {"id": name, "object": "capability", "account": account["id"], "requested": True, "status": status}
        for name, status in account["capabilities"].items()
    ]
    return as_list(items, url=f"/v1/accounts/{account['id']}/capabilities")


# Connected accounts are listed here, not the platform's own; there are none in this form of the sandbox.
empty_list_route("/v1/accounts")
empty_list_route("/v1/accounts/:account/external_accounts")
