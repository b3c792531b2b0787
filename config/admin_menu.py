"""The admin's side menu: the lists that this member of staff may see, in the groups of `config.admin_sections`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localtime

from accounts.models import User
from config.admin_access import visible_models
from config.admin_needs import needs_of
from config.admin_sections import CATALOGUE, HIDDEN, MIRROR, MIRROR_PLACE, SECTIONS, Place
from operations.emergency.backend import access_of
from payments.domains import domain_configs

Lists = dict[str, str]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Build the menu for the signed-in member of staff. Unfold calls this for each page of the admin."""
    lists = lists_of(request)
    counts = {need.name: need.count for need in needs_of(request)}
    groups = [
        _group(section.title, [_item(place, counts, request) for place in section.places if place.model in lists])
        for section in SECTIONS
    ]
    _add_new_domains(groups, lists)
    rest = [{"title": title, "icon": "more_horiz", "link": link} for title, link in _unplaced(lists)]
    mirror = [_mirror_item()] if _may_see_mirror(request) else []
    first = {"items": [{"title": "What needs you", "icon": "inbox", "link": reverse("admin:index")}]}
    last = {"items": mirror, "separator": True}
    return [first, *(group for group in (*groups, _group("More", rest), last) if group["items"])]


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The tabs above lists that belong together."""
    lists = lists_of(request)
    found = []
    for place in (place for section in SECTIONS for place in section.places if place.inside):
        together = [(model, title) for model, title in ((place.model, place.title), *place.inside) if model in lists]
        if len(together) > 1:
            items = [{"title": title, "link": list_url(model)} for model, title in together]
            found.append({"models": [model for model, _ in together], "items": items})
    return found


def environment(request: HttpRequest) -> list[str]:
    """The label in the header: a role taken in an emergency, or whether payments are real."""
    user = request.user
    access = access_of(user) if isinstance(user, User) and user.is_staff else None
    if access:
        return [f"Emergency: {access.role} until {localtime(access.ends_at):%H:%M}", "danger"]
    if settings.PAYMENTS_MODE == "live":
        return ["Live", "danger"]
    return [f"{settings.PAYMENTS_MODE.capitalize()} payments", "info"]


def lists_of(request: HttpRequest) -> Lists:
    """The lists this member of staff may see: the model's label, and its name."""
    return {
        model._meta.label_lower: str(model._meta.verbose_name_plural)
        for model in visible_models(request)
        if model._meta.app_label != MIRROR
    }


def list_url(label: str) -> str:
    return reverse(f"admin:{label.replace('.', '_')}_changelist")


def _item(place: Place, counts: dict[str, int], request: HttpRequest) -> dict[str, Any]:
    item: dict[str, Any] = {"title": place.title, "icon": place.icon, "link": f"{list_url(place.model)}{place.query}"}
    if place.query:
        # The list itself has an entry too: one of them is shown as open, not both.
        item["active"] = request.get_full_path() == item["link"]
    elif place.model == "accounts.teacher":
        item["active"] = (
            request.path.startswith(item["link"]) and "status__exact=applied" not in request.GET.urlencode()
        )
    if count := counts.get(place.counted, 0):
        item |= {"badge": str(count), "badge_variant": "warning"}
    return item


def _group(title: str, items: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"title": title, "items": list(items), "separator": True}


def _placed() -> set[str]:
    places = [place for section in SECTIONS for place in section.places]
    inside = {model for place in places for model, _ in place.inside}
    return {place.model for place in places} | inside | HIDDEN | {MIRROR_PLACE.model}


def _unplaced(lists: Lists) -> Iterator[tuple[str, str]]:
    domains = {config.label for config in domain_configs()}
    for label in lists.keys() - _placed():
        if label.partition(".")[0] not in domains:
            yield lists[label].capitalize(), list_url(label)


def _add_new_domains(groups: list[dict[str, Any]], lists: Lists) -> None:
    """Put the lists of a domain that the sections do not name at the end of the catalogue."""
    domains = {config.label for config in domain_configs()}
    [catalogue] = [group for group in groups if group["title"] == CATALOGUE]
    for label in sorted(lists.keys() - _placed()):
        if label.partition(".")[0] in domains:
            title = lists[label].capitalize()
            catalogue["items"].append({"title": title, "icon": "sell", "link": list_url(label)})


def _may_see_mirror(request: HttpRequest) -> bool:
    return bool(request.user.has_module_perms(MIRROR))


def _mirror_item() -> dict[str, Any]:
    return {
        "title": MIRROR_PLACE.title,
        "icon": MIRROR_PLACE.icon,
        "link": reverse("admin:app_list", args=[MIRROR]),
    }
