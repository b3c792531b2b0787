"""A first dashboard: payments, events, deliveries, and the body of any object."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sandbox import store
from sandbox.models import Delivery, StoredObject
from sandbox.options import options
from sandbox.protocol.resource import presented

SHOWN = 25


def home(request: HttpRequest) -> HttpResponse:
    """The latest of everything."""
    store.act_for(None)

    def newest(kind: str) -> list[store.Body]:
        return list(store.rows(kind).order_by("-sequence").values_list("body", flat=True)[:SHOWN])

    context = {
        "intents": newest("payment_intent"),
        "refunds": newest("refund"),
        "events": newest("event"),
        "deliveries": Delivery.objects.order_by("-pk")[:SHOWN],
        "account": options().account_id,
    }
    return render(request, "sandbox/dashboard_home.html", context)


def stored_object(request: HttpRequest, object_id: str) -> HttpResponse:
    """One object as the API would show it."""
    body = StoredObject.objects.filter(object_id=object_id).values_list("body", flat=True).first()
    if body is None:
        return render(request, "sandbox/page_missing.html", status=404)
    text = json.dumps(presented(body), indent=2, ensure_ascii=False)
    deliveries = Delivery.objects.filter(event=object_id)
    context = {"object_id": object_id, "text": text, "deliveries": deliveries}
    return render(request, "sandbox/dashboard_object.html", context)


def receipt(request: HttpRequest, charge_id: str) -> HttpResponse:
    """What `receipt_url` of a charge leads to."""
    charge = store.find("charge", charge_id)
    if charge is None:
        return render(request, "sandbox/page_missing.html", status=404)
    return render(request, "sandbox/receipt.html", {"charge": charge})
