"""Deliveries of events to endpoints: their attempts, and sending them again."""

import json
from collections import defaultdict
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from sandbox import store
from sandbox.dashboard.access import page
from sandbox.dashboard.cells import Cell, moment_of, object_of, state_of, text_of
from sandbox.dashboard.frame import framed
from sandbox.dashboard.tables import LARGEST_CURSOR, Table, choices, page_of
from sandbox.models import Delivery, StoredObject
from sandbox.store import Body
from sandbox.webhooks import queue
from sandbox.webhooks.rendering import request_body

SEE_OTHER = 303
HEADINGS = ("Event", "Endpoint", "State", "Attempts", "Last answer", "Next attempt")
UNSENT = (Delivery.State.PENDING, Delivery.State.HELD, Delivery.State.DROPPED, Delivery.State.ABANDONED)
FILTERS = ("pending", "failing", "succeeded", "held", "dropped", "abandoned")


def delivery_states(event_ids: list[str]) -> dict[str, Cell]:
    """The delivery state of each event: the worst among its endpoints, in one query."""
    found: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for pk, event, state in Delivery.objects.filter(event__in=event_ids).values_list("pk", "event", "state"):
        found[event].append((pk, state))
    cells = {}
    for event, deliveries in found.items():
        pk, state = next((one for one in deliveries if one[1] != Delivery.State.SUCCEEDED), deliveries[-1])
        cells[event] = Cell(state, reverse("delivery", args=[pk]), state_of(state).look)
    return cells


def table_of(deliveries: list[Delivery], title: str = "Deliveries", **more: Any) -> Table:
    """Deliveries as a table; the endpoints' URLs are read in one query."""
    ids = {delivery.endpoint for delivery in deliveries}
    endpoints = StoredObject.objects.filter(object_id__in=ids).values_list("object_id", "body")
    addresses = {object_id: body.get("url") or "" for object_id, body in endpoints}
    rows = [
        list(zip(HEADINGS, _cells(delivery, addresses.get(delivery.endpoint, "")), strict=True))
        for delivery in deliveries
    ]
    return Table(title, HEADINGS, rows, more.pop("nothing", "No deliveries."), **more)


def _cells(delivery: Delivery, address: str) -> tuple[Cell, ...]:
    is_waiting = delivery.state == Delivery.State.PENDING
    return (
        Cell(delivery.event_type, reverse("delivery", args=[delivery.pk])),
        object_of(delivery.endpoint, address),
        state_of(delivery.state),
        text_of(delivery.attempts),
        text_of(f"{delivery.last_status or ''} {delivery.last_answer[:80]}".strip()),
        moment_of(delivery.next_attempt_at) if is_waiting else text_of(None),
    )


@page
def deliveries(request: HttpRequest) -> HttpResponse:
    """All deliveries, newest first."""
    rows = Delivery.objects.all()
    chosen = request.GET.get("state", "")
    if chosen == "failing":
        rows = rows.filter(state=Delivery.State.PENDING, attempts__gt=0)
    elif chosen:
        rows = rows.filter(state=chosen)
    for name in ("event", "endpoint"):
        if request.GET.get(name):
            rows = rows.filter(**{name: request.GET[name]})
    found = page_of(rows, request)
    context = {
        "table": table_of(list(found.items), newer=found.newer, older=found.older),
        "filters": choices(FILTERS),
        "chosen": chosen,
    }
    return render(request, "sandbox/dashboard_deliveries.html", framed(request, "Deliveries", "deliveries") | context)


@page
def delivery(request: HttpRequest, number: int) -> HttpResponse:
    """One delivery: what is sent, and each attempt with its answer."""
    found = _find(number)
    event = store.find_anywhere("event", found.event)
    endpoint = store.find_anywhere("webhook_endpoint", found.endpoint)
    tries = list(found.tries.order_by("-pk"))
    for one in tries:
        one.moment = moment_of(one.at).text  # type: ignore[attr-defined]  # for the template
    context = {
        "delivery": found,
        "state": state_of(found.state),
        "next_attempt": moment_of(found.next_attempt_at),
        "endpoint": endpoint or {},
        "tries": tries,
        "body": _sent(event, endpoint),
        "can_send_now": found.state in UNSENT,
    }
    return render(request, "sandbox/dashboard_delivery.html", framed(request, found.event_type, "deliveries") | context)


def _sent(event: Body | None, endpoint: Body | None) -> str:
    if event is None:
        return ""
    sent: Body = json.loads(request_body(event, endpoint or {}))
    return json.dumps(sent, indent=2, ensure_ascii=False)


@page
@require_POST
def send(request: HttpRequest, number: int) -> HttpResponse:
    """Send a waiting delivery now, or with `again` the same event once more."""
    found = _find(number)
    if request.POST.get("again"):
        found = queue.send_again(found)
    else:
        queue.send_now(Delivery.objects.filter(pk=found.pk))
    return HttpResponseRedirect(reverse("delivery", args=[found.pk]) + "?done=sent", status=SEE_OTHER)


@page
@require_POST
def send_all(_request: HttpRequest) -> HttpResponse:
    """Send everything that is waiting, held, dropped or abandoned."""
    queue.send_now(Delivery.objects.filter(state__in=UNSENT))
    return HttpResponseRedirect(reverse("deliveries") + "?done=sent", status=SEE_OTHER)


def _find(number: int) -> Delivery:
    found = Delivery.objects.filter(pk=number).first() if number < LARGEST_CURSOR else None
    if found is None:
        raise Http404
    return found
