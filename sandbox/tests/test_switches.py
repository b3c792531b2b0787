import time

import pytest
import requests
import stripe


def test_selected_calls_are_answered_with_429_and_500_a_given_number_of_times(sandbox, client):
    sandbox.switch("faults", kind="rate_limit", method="POST", path="/v1/customers", count=2)
    sandbox.switch("faults", kind="server_error", method="GET", path="/v1/products*")
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError) as limited:
            client.v1.customers.create()
        assert (limited.value.http_status, limited.value.error.code) == (429, "rate_limit")
    assert client.v1.customers.create().id
    with pytest.raises(stripe.APIError) as broken:
        client.v1.products.list()
    assert broken.value.http_status == 500
    assert client.v1.products.list().data == []
    assert len(client.v1.customers.list().data) == 1
    assert sandbox.get("/_sandbox/faults").json() == {"faults": []}


def test_a_call_can_be_delayed(sandbox, client):
    sandbox.switch("faults", kind="hang", path="/v1/customers", seconds=0.8)
    began = time.monotonic()
    assert client.v1.customers.create().id
    assert time.monotonic() - began > 0.7
    began = time.monotonic()
    client.v1.customers.create()
    assert time.monotonic() - began < 0.7


def test_a_reply_can_be_dropped_after_the_work_is_done_and_the_call_repeated(sandbox, client):
    sandbox.switch("faults", kind="drop_reply", method="POST", path="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})
    again = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "once"})
    assert [customer.id for customer in client.v1.customers.list().data] == [again.id]
    assert sandbox.event_types() == ["customer.created"]


def test_faults_can_be_cleared(sandbox, client):
    sandbox.switch("faults", kind="server_error", count=100)
    sandbox.switch("faults", clear=True)
    assert client.v1.customers.create().id


def test_a_reset_clears_objects_faults_modes_the_clock_and_the_log(sandbox, client):
    client.v1.customers.create()
    sandbox.switch("deliveries", mode="hold")
    sandbox.switch("faults", kind="server_error", count=100)
    sandbox.switch("clock", advance=86400)
    sandbox.switch("reset")
    assert client.v1.customers.list().data == []
    assert client.v1.events.list().data == []
    assert sandbox.get("/_sandbox/clock").json()["offset"] == 0
    assert sandbox.get("/_sandbox/deliveries").json() == {
        "mode": {"name": "normal", "types": [], "seconds": 1.0, "remaining": None},
        "deliveries": [],
    }


@pytest.mark.parametrize(
    ("switch", "body"),
    [
        ("deliveries", {"mode": "sulk"}),
        ("deliveries", {"mode": "hold", "types": "charge.updated"}),
        ("deliveries", {"mode": "delay", "seconds": -1}),
        ("deliveries", {"mode": "delay", "count": "many"}),
        ("deliveries", {"rotate_secret": "we_none"}),
        ("faults", {"kind": "fire"}),
        ("faults", {"kind": "hang", "seconds": 1e9}),
        ("faults", {"kind": "hang", "count": [1]}),
        ("clock", {"advance": 1e12}),
        ("clock", {"advance": "soon"}),
        ("clock", {}),
        ("drain", {"timeout": "never"}),
    ],
)
def test_an_invalid_switch_is_answered_with_400_and_a_message(sandbox, switch, body):
    answer = sandbox.http.post(f"{sandbox.url}/_sandbox/{switch}", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
    assert sandbox.http.post(f"{sandbox.url}/_sandbox/{switch}", data="[1", timeout=10).status_code == 400
    assert sandbox.http.post(f"{sandbox.url}/_sandbox/{switch}", json=[1], timeout=10).status_code == 400
    assert requests.post(f"{sandbox.url}/_sandbox/{switch}", json=body, timeout=10).status_code == 401


def test_checkout_offers_the_enabled_methods_where_the_currency_allows_them(sandbox):
    sandbox.switch("methods", types=["card", "sepa_debit"])
    assert sandbox.session().payment_method_types == ["card"]
    price = {"currency": "eur", "unit_amount": 2500, "product_data": {"name": "A course"}}
    in_euros = sandbox.session(line_items=[{"quantity": 1, "price_data": price}])
    assert in_euros.payment_method_types == ["card", "sepa_debit"]
    sandbox.switch("reset")
    assert sandbox.session(line_items=[{"quantity": 1, "price_data": price}]).payment_method_types == ["card"]
