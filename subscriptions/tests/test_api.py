"""Programs subscribe and cancel as people do on the pages, each with its key once."""

import pytest
from django.test import Client

from subscriptions.models import Subscription
from subscriptions.tests.factories import make_plan, make_price

pytestmark = pytest.mark.django_db


def post(client, path, body=None, **headers):
    return client.post(path, body or {}, content_type="application/json", headers=headers)


def test_plans_are_open_to_everyone(client):
    price = make_price(make_plan(name="All courses"), credits=2, credit_value_minor=500)
    make_plan(is_on_sale=False)
    [plan] = client.get("/api/v1/plans").json()["results"]
    assert plan["name"] == "All courses"
    assert plan["prices"] == [{"id": price.pk, "interval": "month", "currency": "GBP", "amount": "29.00", "credits": 2}]


@pytest.mark.parametrize("path", ["/api/payments/create-subscription", "/payments/create-subscription/"])
def test_a_program_subscribes_and_cancels(ada, path):
    price = make_price(make_plan(grants_courses=True))
    begun = post(ada.client, path, {"price": price.pk}, **{"Idempotency-Key": "k1"})
    assert begun.status_code == 200, begun.content
    again = post(ada.client, path, {"price": price.pk}, **{"Idempotency-Key": "k1"})
    assert again.content == begun.content
    assert set(begun.json()) == {"sessionId", "url", "status"}
    ada.sandbox.pay(begun.json()["sessionId"])
    ada.tell()
    assert ada.client.get("/api/v1/subscription").json()["status"] == "active"
    cancelled = post(ada.client, path.replace("create", "cancel"))
    assert (cancelled.status_code, cancelled.json()["cancel_at_period_end"]) == (200, True)
    assert len(ada.client.get("/api/v1/subscriptions").json()["results"]) == 1
    second = post(ada.client, path, {"price": price.pk})
    assert (second.status_code, second.json()["type"]) == (409, "urn:lectern:problem:cannot-subscribe")


def test_bad_input_changes_nothing(ada):
    create = "/api/payments/create-subscription"
    assert post(ada.client, create).status_code == 400
    assert post(ada.client, create, {"price": 10**12}).status_code == 400
    assert post(ada.client, create, {"price": 999_999}).status_code == 404
    price = make_price()
    evil = {"price": price.pk, "success_url": "https://evil.example/"}
    assert post(ada.client, create, evil).status_code == 400
    assert post(ada.client, "/api/payments/cancel-subscription").status_code == 404
    assert ada.client.get("/api/v1/subscription").status_code == 404
    assert post(Client(), create, {"price": price.pk}).status_code == 401
    assert not Subscription.objects.exists()
