"""Run by test_dashboard in its own process: loads every page of the dashboard with more and more objects stored.

Prints a line of JSON for each size, with the queries and the seconds of each page.
"""

# ruff: noqa: E402, T201 -- models can only be imported once Django is set up; the output is the result
import json
import os
import sys
import time
from itertools import count

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
django.setup()

from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sandbox import store
from sandbox.dashboard.sections import SECTIONS
from sandbox.models import Delivery, DeliveryAttempt, StoredObject
from sandbox.options import options
from sandbox.resources.account import ensure_platform_account

numbers = count(1)
PAGES = ("payment_intent", "charge", "customer", "product", "payout", "event", "webhook_endpoint")
FIELDS = {
    "livemode": False, "currency": "usd", "amount": 1250, "amount_refunded": 0, "status": "succeeded", "captured": True,
    "description": "A lesson", "customer": "cus_1", "metadata": {"order": "1"}, "active": True, "name": "Tea",
    "frozen_time": 1, "net": 1, "fee": 0, "refunded": False, "disputed": False, "amount_capturable": 0, "available_on": 5,
    "enabled_events": ["*"], "url": "http://127.0.0.1:1/", "unit_amount": 5, "percent_off": 5, "promotion": {"coupon": "c"},
    "cancel_at_period_end": False, "_secrets": [], "api_version": None,
}  # fmt: skip


def made(kind, **changes):
    number = next(numbers)
    object_id = f"{kind.split('.')[-1]}_{number}"
    body = {"id": object_id, "object": kind, "created": number, **FIELDS, "payment_intent": "payment_intent_1",
            "charge": "charge_2", "latest_charge": "charge_2", **changes}  # fmt: skip
    return StoredObject(object_id=object_id, kind=kind, account=options().account_id, created=number, body=body,
                        **store._columns(body))  # fmt: skip


def fill(many):
    for section in SECTIONS:
        if section.kind not in ("event", "account"):
            special = {"status": "available"} if section.kind == "balance_transaction" else {}
            StoredObject.objects.bulk_create(made(section.kind, **special) for _ in range(many))
    data = {"object": {"id": "payment_intent_1", "object": "payment_intent", "payment_intent": None}}
    events = [made("event", type="payment_intent.succeeded", data=data, request={"id": "req_1"}) for _ in range(many)]
    StoredObject.objects.bulk_create(events)
    deliveries = Delivery.objects.bulk_create(
        Delivery(event=event.object_id, event_type="payment_intent.succeeded", endpoint="webhook_endpoint_1", attempts=1,
                 next_attempt_at=1e12) for event in events)  # fmt: skip
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(delivery=one, at=1, status=500, milliseconds=1) for one in deliveries
    )


def addresses():
    yield from ("/", "/dashboard/everything", "/dashboard/controls", "/dashboard/deliveries", "/dashboard/requests")
    yield from ("/dashboard/deliveries?state=failing", "/dashboard/deliveries/1", "/dashboard/payments?q=12.50")
    yield from ("/dashboard/payments?q=ada@example.org", "/dashboard/payments?status=disputed")
    yield from (f"/dashboard/{section.slug}" for section in SECTIONS)
    for kind in PAGES:
        first = StoredObject.objects.filter(kind=kind).order_by("sequence").first()
        yield f"/objects/{first.object_id}"


def look(path):
    client = Client(headers={"host": "127.0.0.1"})
    with CaptureQueriesContext(connection) as queries:
        began = time.perf_counter()
        status = client.get(path).status_code
        took = time.perf_counter() - began
    assert status == 200, (path, status)
    return len(queries), took


call_command("migrate", verbosity=0)
with store.writing():
    ensure_platform_account()
held = 0
for size in [int(word) for word in sys.argv[1:]]:
    with store.writing():
        fill(size - held)
    paths = list(addresses())
    if not held:
        # The first load of each page also runs queries whose results are cached, independent of the size.
        for path in paths:
            look(path)
    held = size
    looks = {path: look(path) for path in paths}
    print(json.dumps({"size": size, "queries": {path: one[0] for path, one in looks.items()},
                      "seconds": {path: round(one[1], 3) for path, one in looks.items()}}))  # fmt: skip
