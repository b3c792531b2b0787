"""The admin's side menu: every list that is installed and that this member of staff may see, by what it is about."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest

from payments.domains import domain_configs

_TAUGHT = "What is taught"
# Group, icon (Material Symbols), the apps in it. What is in no group appears under "More", so nothing gets lost.
_GROUPS = [
    ("Payments", "payments", ["payments", "ledger"]),
    ("Catalogue", "menu_book", ["catalogue"]),
    (_TAUGHT, "event", []),
    ("People", "group", ["accounts", "account", "auth"]),
    ("Operations", "monitor_heart", ["operations", "notifications", "jobs", "waffle", "django_celery_beat"]),
]
# Dj-stripe's mirror has more lists than all of ours together: one link leads to their index.
_MIRROR, _MIRROR_ICON = "djstripe", "database"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the menu for whoever asks; unfold calls it for each page of the admin."""
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
    """Say in the header whether real money moves here."""
    if settings.PAYMENTS_MODE == "live":
        return ["Live", "danger"]
    return [f"{settings.PAYMENTS_MODE.capitalize()} payments", "info"]


def _group(title: str, icon: str, labels: list[str], apps: dict[str, Any], *, is_folded: bool) -> dict[str, Any]:
    # Taken out of `apps` as they are placed, so that what remains at the end is the rest.
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
