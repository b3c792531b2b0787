"""Links to an account's own pages: onboarding links, login links, sessions for embedded components.

Docs: "Account Links", "Login Links", "Account Sessions".
"""

import inspect
from typing import Any

from stripe import AccountSession

from sandbox import clock, identifiers
from sandbox.connect.accounts import find_connected
from sandbox.connect.onboarding import create_link
from sandbox.options import options
from sandbox.protocol.errors import ApiError, missing_parameter, no_such
from sandbox.protocol.published import published
from sandbox.protocol.routing import Call, route
from sandbox.resources.account import named_account
from sandbox.store import Body

SESSION_SECONDS = 3600


def _given_account(call: Call) -> Body:
    account = find_connected(call["account"])
    if account is None:
        raise no_such("account", call["account"], param="account")
    return account


@route(
    "POST",
    "/v1/account_links",
    published(
        "AccountLinkCreateParams", "account", "collect", "collection_options", "refresh_url", "return_url", "type"
    ),
)
def create(call: Call) -> Body:
    account = _given_account(call)
    for name in ("refresh_url", "return_url"):
        if not call.get(name):
            raise missing_parameter(name)
        if not call[name].startswith(("http://", "https://")):
            raise ApiError("Not a valid URL", code="url_invalid", param=name)
    dashboard = account["controller"]["stripe_dashboard"]["type"]
    if call["type"] == "account_update" and dashboard != "none":
        raise ApiError(
            "You cannot create `account_update` type Account Links for this account. Valid types for this account "
            "are: `account_onboarding`.",
            param="type",
        )
    return create_link(account, kind=call["type"], return_url=call["return_url"], refresh_url=call["refresh_url"])


@route("POST", "/v1/accounts/:account/login_links", published("AccountLoginLinkCreateParams"))
def create_login_link(call: Call) -> Body:
    account = named_account(call)
    if account["controller"].get("stripe_dashboard", {}).get("type") != "express":
        raise ApiError(
            f"Cannot create a login link for account {account['id']}: it does not use the Express Dashboard."
        )
    if not account["details_submitted"]:
        raise ApiError("Cannot create a login link for an account that has not completed onboarding.")
    url = f"{options().public_url}/express/{account['id']}/{identifiers.token(12)}"
    return {"object": "login_link", "created": clock.now(), "url": url}


COMPONENTS: dict[str, Any] = {
    name: cls
    for name, hint in AccountSession.Components.__annotations__.items()
    for cls in [getattr(AccountSession.Components, "".join(part.title() for part in name.split("_")), None)]
    if inspect.isclass(cls)
}


@route("POST", "/v1/account_sessions", published("AccountSessionCreateParams", "account", "components"))
def create_session(call: Call) -> Body:
    account = _given_account(call)
    given = call.get("components") or {}
    if not any((component or {}).get("enabled") for component in given.values()):
        raise ApiError("At least one component must be enabled.", param="components")
    components = {name: _component(cls, given.get(name) or {}) for name, cls in COMPONENTS.items()}
    return {
        "object": "account_session",
        "account": account["id"],
        "client_secret": f"accs_secret__{identifiers.token(47)}",
        "components": components,
        "expires_at": clock.now() + SESSION_SECONDS,
        "livemode": False,
    }


def _component(cls: Any, given: Body) -> Body:
    """A component of the session; its features are enabled unless the call disables them."""
    features = getattr(cls, "Features", None)
    names = list(features.__annotations__) if features else []
    chosen = given.get("features") or {}
    return {"enabled": given.get("enabled", False), "features": {name: chosen.get(name, True) for name in names}}
