"""The merchant's name on the pages."""

from sandbox import store
from sandbox.payments.balance import own_account
from sandbox.store import Body


def merchant_of(intended: Body | None = None) -> str:
    """The name of the business that receives the payment: of `on_behalf_of` if given, or else of the acting account."""
    other = (intended or {}).get("on_behalf_of")
    account = (store.find("account", other) if other else None) or own_account()
    shown = (account.get("business_profile") or {}).get("name")
    dashboard = ((account.get("settings") or {}).get("dashboard") or {}).get("display_name")
    return str(shown or dashboard or account.get("email") or account["id"])
