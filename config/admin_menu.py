"""The admin's side menu: every installed list that this member of staff may see, in groups."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from payments.domains import domain_configs

_TAUGHT = "Teaching"
# Group, icon (Material Symbols), the apps in it. Apps in no group appear under "More", so that none is missing.
_GROUPS = [
    ("Payments", "payments", ["payments"]),
    ("Books", "account_balance", ["ledger"]),
    ("Catalogue", "menu_book", ["catalogue"]),
    (_TAUGHT, "event", []),
    ("People", "group", ["accounts", "account", "auth"]),
    ("Operations", "monitor_heart", ["notifications", "jobs", "waffle"]),
]
# dj-stripe's mirror has more lists than all our apps together, so the menu only links to their index.
_MIRROR, _MIRROR_ICON = "djstripe", "database"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the menu for the signed-in member of staff. Unfold calls this for each page of the admin."""
    apps = {app["app_label"]: app for app in admin.site.get_app_list(request)}
    domains = [config.label for config in domain_configs()]
    groups = [
        _group(title, icon, domains if title == _TAUGHT else labels, apps, is_folded=False)
        for title, icon, labels in _GROUPS
    ]
    mirror = apps.pop(_MIRROR, None)
    rest = _group("More", "more_horiz", list(apps), apps, is_folded=True)
    dashboard = {"items": [{"title": "Dashboard", "icon": "dashboard", "link": _index()}]}
    records = {"title": "Stripe's records", "icon": _MIRROR_ICON, "link": mirror["app_url"]} if mirror else None
    last = {"items": [records] if records else [], "separator": True}
    return [dashboard, *(group for group in (*groups, rest, last) if group["items"])]


def environment(_request: HttpRequest) -> list[str]:
    """The label in the header that says whether payments are real."""
    if settings.PAYMENTS_MODE == "live":
        return ["Live", "danger"]
    return [f"{settings.PAYMENTS_MODE.capitalize()} payments", "info"]


def _group(title: str, icon: str, labels: list[str], apps: dict[str, Any], *, is_folded: bool) -> dict[str, Any]:
    # Removed from `apps` as they are placed, so that only the rest remains in the end.
    placed = [apps.pop(label) for label in labels if label in apps]
    items = [
        {"title": str(model["name"]), "icon": icon, "link": model["admin_url"]}
        for app in placed
        for model in app["models"]
        if model["admin_url"]
    ]
    return {"title": title, "items": items, "separator": True, "collapsible": is_folded}


def _index() -> str:
    from django.urls import reverse

    return reverse("admin:index")
