"""Addresses of objects in Stripe's Dashboard, or on the sandbox's pages."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from django.conf import settings

_DASHBOARD: Final = "https://dashboard.stripe.com"
_SECTIONS: Final = {
    "pi": "payments",
    "ch": "payments",
    "py": "payments",
    "du": "disputes",
    "dp": "disputes",
    "tr": "connect/transfers",
    "po": "payouts",
    "acct": "connect/accounts",
    "cus": "customers",
    "sub": "subscriptions",
    "in": "invoices",
}


def dashboard_url(object_id: str, *, livemode: bool) -> str:
    """Where people look at an object; the Dashboard's search for kinds without a page. Empty for an empty id."""
    if not object_id:
        return ""
    if settings.PAYMENTS_MODE == "sandbox":
        return f"{settings.SANDBOX_URL}/objects/{quote(object_id, safe='')}"
    mode = "" if livemode else "/test"
    section = _SECTIONS.get(object_id.partition("_")[0])
    if section is None:
        return f"{_DASHBOARD}{mode}/search?query={quote(object_id, safe='')}"
    return f"{_DASHBOARD}{mode}/{section}/{quote(object_id, safe='')}"
