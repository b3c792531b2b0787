"""The page of one object: its fields, related objects, events and buttons."""

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from sandbox import store
from sandbox.dashboard import billing_buttons, connect_buttons, developer_buttons, payment_buttons
from sandbox.dashboard.access import page
from sandbox.dashboard.buttons import Offer, buttons_of, offers_for
from sandbox.dashboard.cells import Cell, at, state_of
from sandbox.dashboard.deliveries import SEE_OTHER, table_of
from sandbox.dashboard.facts import facts_of, heading_of
from sandbox.dashboard.frame import framed
from sandbox.dashboard.related import tables_of, timeline_of
from sandbox.dashboard.sections import add_charges, payment_state, section_of
from sandbox.dashboard.tables import PER_PAGE
from sandbox.models import Delivery, StoredObject
from sandbox.options import options
from sandbox.payments.balance import current_balance
from sandbox.protocol import origin
from sandbox.protocol.errors import ApiError
from sandbox.protocol.resource import presented
from sandbox.store import Body

assert all((billing_buttons, connect_buttons, developer_buttons, payment_buttons)), "importing registers buttons"  # noqa: S101
# The kinds of related objects whose buttons a page also shows, so that a payment can be refunded on its own page.
BORROWED = {"payment_intent": ("charge", "dispute"), "charge": ("dispute",)}
MOST_BORROWED = 5


@page
def stored_object(request: HttpRequest, object_id: str) -> HttpResponse:
    """Show an object, or perform the action of one of its buttons."""
    row = StoredObject.objects.filter(object_id=object_id).first()
    if row is None:
        raise Http404
    if request.method == "POST":
        return _press(request, row)
    return _shown(request, row)


def _press(request: HttpRequest, row: StoredObject) -> HttpResponse:
    """Perform a button's action on its object, then redirect to the page."""
    target = StoredObject.objects.filter(object_id=request.POST.get("object", row.object_id)).first()
    pressed = buttons_of(target.kind).get(request.POST.get("button", "")) if target else None
    if target is None or pressed is None:
        raise Http404
    try:
        _do(target, pressed.name, request.POST)
    except (ApiError, ValueError) as problem:
        row.refresh_from_db()
        return _shown(request, row, problem=str(problem), status=400)
    query = QueryDict(mutable=True)
    query["done"] = pressed.label
    return HttpResponseRedirect(f"{reverse('object', args=[row.object_id])}?{query.urlencode()}", status=SEE_OTHER)


def _do(target: StoredObject, name: str, form: QueryDict) -> None:
    button = buttons_of(target.kind)[name]
    origin.begin()
    with store.acting_for(target.account), store.writing():
        # Read again inside the lock, so that a second click sees the first one's changes.
        body = store.fetch(target.kind, target.object_id)
        if body.get("deleted") or not button.when(body):
            raise ValueError(
                f"{button.label}: no longer possible; the object is now {body.get('status', 'different')}."
            )
        button.action(body, form)


def _shown(request: HttpRequest, row: StoredObject, *, problem: str = "", status: int = 200) -> HttpResponse:
    body: Body = row.body
    with store.acting_for(row.account):
        shown = presented(body)
        tables, ids = tables_of(body, row.account)
        context: dict[str, Any] = {
            "object_id": row.object_id,
            "kind": row.kind,
            "account": row.account if row.account != options().account_id else "",
            "state": _state(body),
            "facts": facts_of(shown),
            "metadata": sorted((shown.get("metadata") or {}).items()),
            "tables": tables,
            "timeline": timeline_of(body, ids) if row.kind != "event" else None,
            "deliveries": _deliveries(row),
            "offers": _offers(body, ids),
            "secrets": [one["value"] for one in body.get("_secrets", ())],
            "page": _page_of(body),
            "balance": _balance(row),
            "text": json.dumps(shown, indent=2, ensure_ascii=False),
            "problem": problem,
            "done": _done(request, row.kind),
        }
    heading = heading_of(shown)
    frame = framed(request, heading, section_of(row.kind).slug)
    return render(request, "sandbox/dashboard_object.html", frame | context, status=status)


def _state(body: Body) -> Cell | None:
    if body.get("deleted"):
        return state_of("deleted")
    if body["object"] == "payment_intent":
        copy = dict(body)
        add_charges([copy])
        return payment_state(copy)
    return state_of(body["status"]) if isinstance(body.get("status"), str) else None


def _offers(body: Body, ids: list[str]) -> list[Offer]:
    kinds = BORROWED.get(body["object"], ())
    found = StoredObject.objects.filter(object_id__in=ids, kind__in=kinds) if kinds else StoredObject.objects.none()
    offers = offers_for(body)
    for one in found.order_by("-sequence").values_list("body", flat=True)[:MOST_BORROWED]:
        offers += offers_for(one, whose=one["id"])
    return offers


def _deliveries(row: StoredObject) -> Any:
    """The deliveries of an event, or the latest to an endpoint."""
    rows = Delivery.objects.order_by("-pk")
    if row.kind == "event":
        return table_of(list(rows.filter(event=row.object_id)[:PER_PAGE]))
    if row.kind == "webhook_endpoint":
        return table_of(list(rows.filter(endpoint=row.object_id)[:PER_PAGE]), "Latest deliveries")
    return None


def _page_of(body: Body) -> str:
    """The URL of the object's hosted page, for a buyer or a bank, or an empty string."""
    for path in ("url", "next_action.redirect_to_url.url", "hosted_invoice_url", "receipt_url"):
        address = at(body, path)
        if isinstance(address, str) and address.startswith(options().public_url + "/"):
            return address
    if body["object"] == "payment_intent" and body.get("status") == "requires_action":
        return f"{options().public_url}/3ds/{body['id']}"
    return ""


def _balance(row: StoredObject) -> Body | None:
    """The balance of a connected account."""
    if row.kind != "account":
        return None
    with store.acting_for(row.object_id):
        return current_balance()


def _done(request: HttpRequest, kind: str) -> str:
    """The label of the button that was pressed; only labels of existing buttons are shown."""
    label = request.GET.get("done", "")
    kinds = (kind, *BORROWED.get(kind, ()))
    return label if any(label == one.label for each in kinds for one in buttons_of(each).values()) else ""
