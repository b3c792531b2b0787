"""The list of each kind of object."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from sandbox import store
from sandbox.dashboard.access import page
from sandbox.dashboard.frame import framed
from sandbox.dashboard.searching import LONGEST
from sandbox.dashboard.sections import BY_SLUG, Section, section_of
from sandbox.dashboard.tables import Table, choices, page_of
from sandbox.models import StoredObject
from sandbox.options import options


@page
def section_list(request: HttpRequest, slug: str) -> HttpResponse:
    """A list, filtered by the query string."""
    return _listed(request, BY_SLUG.get(slug) or _other(slug))


def _other(kind: str) -> Section:
    """The generic list of a kind that has no section."""
    if not StoredObject.objects.filter(kind=kind).exists():
        raise Http404
    return section_of(kind)


def _listed(request: HttpRequest, section: Section) -> HttpResponse:
    account = requested_account(request)
    rows = StoredObject.objects.filter(kind=section.kind, account=account, is_deleted=False)
    if section.kind == "account":
        rows = rows.exclude(object_id=options().account_id)
    words = request.GET.get("q", "").strip()[:LONGEST]
    if words:
        rows = rows.filter(section.search(words))
    chosen = request.GET.get("status", "")
    rows = _narrowed(rows, section, chosen)
    event_type = request.GET.get("type", "")
    if section.kind == "event" and event_type:
        rows = rows.filter(subtype=event_type)
    found = page_of(rows, request)
    bodies = [row.body for row in found.items]
    if section.enrich:
        section.enrich(bodies)
    context: dict[str, Any] = {
        "table": Table(
            section.title,
            [column.title for column in section.columns],
            [[(column.title, column.read(body)) for column in section.columns] for body in bodies],
            "Nothing matches." if words or chosen or event_type else "Nothing yet.",
            found.newer,
            found.older,
        ),
        "section": section,
        "filters": choices(section.filters),
        "chosen": chosen,
        "words": words,
        "event_types": _types() if section.kind == "event" else (),
        "event_type": event_type,
    }
    return render(request, "sandbox/dashboard_list.html", framed(request, section.title, section.slug) | context)


def _narrowed(rows: QuerySet[StoredObject], section: Section, chosen: str) -> QuerySet[StoredObject]:
    if not chosen:
        return rows
    narrow = section.filters.get(chosen)
    return narrow(rows) if narrow else rows.none()


def _types() -> list[str]:
    """The types of the stored events."""
    events = StoredObject.objects.filter(kind="event")
    return list(events.order_by("subtype").values_list("subtype", flat=True).distinct())


def requested_account(request: HttpRequest) -> str:
    """The account whose list is requested, by default the platform. Raises Http404 for an unknown account."""
    account = request.GET.get("account") or options().account_id
    if account != options().account_id and store.find("account", account) is None:
        raise Http404
    return account


@page
def find(request: HttpRequest) -> HttpResponse:
    """Redirect a search to the object with that id, or else to the matching payments."""
    words = request.GET.get("q", "").strip()[:LONGEST]
    if words.startswith("req_"):
        return HttpResponseRedirect(reverse("request", args=[words]))
    if words and StoredObject.objects.filter(object_id=words).exists():
        return HttpResponseRedirect(reverse("object", args=[words]))
    query = request.GET.urlencode() if words else ""
    return HttpResponseRedirect(f"{reverse('section', args=['payments'])}?{query}")
