"""Authenticate the caller by Bearer or Basic with the secret key, and choose the account (docs: "Authentication")."""

import base64
import hmac

from django.http import HttpRequest

from sandbox import store
from sandbox.options import options
from sandbox.protocol.errors import ApiError

NO_KEY = (
    "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
    "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for "
    "details, or we can help at https://support.stripe.com/."
)


def presented_key(request: HttpRequest) -> str:
    """The API key in the Authorization header, or an empty string."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[0]
        except ValueError:  # Neither base64 nor text.
            return ""
    return ""


def authenticate(request: HttpRequest) -> None:
    """Check the key and choose the acting account. Raises 401 and 403 with Stripe's messages."""
    key = presented_key(request)
    if not key:
        raise ApiError(NO_KEY, status=401)
    if not hmac.compare_digest(key.encode(), options().secret_key.encode()):
        raise ApiError(f"Invalid API Key provided: {_masked(key)}", status=401)
    account = request.headers.get("Stripe-Account") or options().account_id
    if account != options().account_id:
        found = store.find("account", account)
        if found is None or found.get("deleted"):
            raise no_access(account)
    store.act_for(account)


def no_access(account: str) -> ApiError:
    """Stripe's 403 for an account that does not belong to the platform, whether or not it exists."""
    return ApiError(
        f"The provided key '{_masked(options().secret_key)}' does not have access to account '{account}' (or that "
        "account does not exist). Application access may have been revoked.",
        status=403,
        code="account_invalid",
    )


def _masked(key: str) -> str:
    visible = 4
    prefix = "_".join(key.split("_")[:2]) + "_" if key.count("_") > 1 else ""
    hidden = max(0, len(key) - len(prefix) - visible)
    return f"{prefix}{'*' * hidden}{key[-visible:]}"
