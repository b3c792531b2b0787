"""The overview page: balances, the latest payments and events, and failing deliveries."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from sandbox import store
from sandbox.dashboard.access import page
from sandbox.dashboard.cells import Cell, Column, money_of, text
from sandbox.dashboard.deliveries import table_of
from sandbox.dashboard.frame import framed
from sandbox.dashboard.sections import BY_SLUG, add_charges
from sandbox.dashboard.tables import Table, tabled
from sandbox.models import Delivery, StoredObject
from sandbox.options import options
from sandbox.payments.balance import current_balance
from sandbox.store import Body

LATEST = 10


@page
def home(request: HttpRequest) -> HttpResponse:
    """The overview. `?request=req_…`, as in an error's `request_log_url`, redirects to that request."""
    request_id = request.GET.get("request", "")
    if request_id:
        return HttpResponseRedirect(reverse("request", args=[request_id]))
    context: dict[str, Any] = {
        "balances": balances(),
        "payments": _latest("payments"),
        "events": _latest("events"),
        "failing": _failing(),
        "states": _delivery_states(),
        "disputes": store.rows("dispute").filter(status="needs_response").count(),
        "has_endpoint": store.rows("webhook_endpoint").exists(),
        "options": options(),
    }
    return render(request, "sandbox/dashboard_overview.html", framed(request, "Overview", "home") | context)


def balances() -> list[tuple[str, Cell, Cell]]:
    """The acting account's balances: currency, available and pending."""
    balance = current_balance()
    pending = {one["currency"]: one["amount"] for one in balance["pending"]}
    return [
        (
            one["currency"].upper(),
            money_of(one["amount"], one["currency"]),
            money_of(pending.get(one["currency"], 0), one["currency"]),
        )
        for one in balance["available"]
    ]


def _latest(slug: str) -> Table:
    section = BY_SLUG[slug]
    bodies: list[Body] = list(store.rows(section.kind).order_by("-sequence").values_list("body", flat=True)[:LATEST])
    if section.slug == "payments":
        add_charges(bodies)
    return tabled(f"Latest {section.title.lower()}", section.columns, bodies)


def _failing() -> Table:
    """Deliveries that have failed so far or were abandoned."""
    rows = Delivery.objects.filter(attempts__gt=0).exclude(state=Delivery.State.SUCCEEDED).order_by("-pk")
    return table_of(list(rows[:LATEST]), "Deliveries that failed")


def _delivery_states() -> list[tuple[str, int]]:
    counted = Delivery.objects.values_list("state").annotate(number=Count("pk")).order_by("state")
    return [(str(state), number) for state, number in counted]


@page
def everything(request: HttpRequest) -> HttpResponse:
    """The number of objects of each kind, on all accounts."""
    counted = StoredObject.objects.values_list("kind").annotate(number=Count("pk")).order_by("kind")
    columns = (
        Column("Kind", lambda one: Cell(one["kind"], one["href"])),
        text("Objects", "number"),
    )
    slugs = {section.kind: section.slug for section in BY_SLUG.values()}
    kinds = [
        {"kind": kind, "number": number, "href": reverse("section", args=[slugs.get(kind, kind)])}
        for kind, number in counted
    ]
    context = {"table": tabled("Everything", columns, kinds, limit=len(kinds)), "filters": ()}
    return render(request, "sandbox/dashboard_list.html", framed(request, "Everything", "everything") | context)


@page
def receipt(request: HttpRequest, charge_id: str) -> HttpResponse:
    """The page at a charge's `receipt_url`."""
    charge = store.find_anywhere("charge", charge_id)
    if charge is None:
        return render(request, "sandbox/page_missing.html", status=404)
    return render(request, "sandbox/receipt.html", {"charge": charge})
