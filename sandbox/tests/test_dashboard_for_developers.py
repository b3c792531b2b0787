import re

import pytest
import stripe

from sandbox.tests.dashboard_browser import Browser


@pytest.fixture
def browser(sandbox):
    return Browser(sandbox.url)


def test_a_delivery_shows_each_attempt_and_the_request_body(sandbox, receiver, client, browser):
    receiver.answers[:] = [500, 302]
    client.v1.customers.create({"name": "Ada"})
    sandbox.drain()
    sandbox.advance(1.5)
    links = browser.open("/dashboard/deliveries?state=failing").links
    path = next(link for link in links if re.fullmatch(r"/dashboard/deliveries/\d+", link))
    page = browser.open(path)
    assert re.findall(r'class="state bad">(\d+)<', page.text) == ["302", "500"]
    for _, body, signature in receiver.received:
        assert f"Stripe-Signature: {signature}" in page.text
        assert len(body) > 100
    assert "&quot;name&quot;: &quot;Ada&quot;" in page.text
    browser.press(path, "Send now")
    sandbox.drain()
    assert len(receiver.received) == 3
    assert "succeeded" in browser.open(path).text
    assert "Send now" not in browser.open(path).buttons
    browser.press(path, "Send again")
    sandbox.drain()
    assert len(receiver.received) == 4
    assert len({event["id"] for event, _, _ in receiver.received}) == 1


def test_an_attempt_without_an_answer_is_recorded(sandbox, client, browser):
    client.v1.webhook_endpoints.create({"url": "http://127.0.0.1:1/", "enabled_events": ["customer.created"]})
    client.v1.customers.create()
    sandbox.drain()
    links = browser.open("/dashboard/deliveries?state=failing").links
    page = browser.open(next(link for link in links if re.fullmatch(r"/dashboard/deliveries/\d+", link)))
    assert "no answer" in page.text
    assert "ConnectionRefusedError" in page.text


def test_all_unsent_deliveries_are_sent_now(sandbox, receiver, client, browser):
    sandbox.switch("deliveries", mode="hold")
    for _ in range(3):
        client.v1.customers.create()
    sandbox.drain()
    assert receiver.received == []
    browser.press("/dashboard/deliveries", "Send all unsent deliveries now")
    sandbox.drain()
    assert receiver.types() == ["customer.created"] * 3


def test_an_event_is_sent_again(sandbox, receiver, client, browser):
    client.v1.customers.create()
    sandbox.drain()
    event = client.v1.events.list().data[0]
    browser.press(f"/objects/{event.id}", "Send again")
    sandbox.drain()
    assert [one["id"] for one, _, _ in receiver.received] == [event.id, event.id]


def test_an_endpoints_secret_is_shown_and_rotated_and_it_is_disabled(sandbox, receiver, client, browser):
    made = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["product.created"]})
    path = f"/objects/{made.id}"
    assert made.secret in browser.open(path).text
    secrets = re.findall(r"whsec_\w+", browser.press(path, "Rotate the secret").text)
    assert len(secrets) == 2
    assert secrets[1] == made.secret
    client.v1.products.create({"name": "Tea"})
    sandbox.drain()
    for secret in secrets:
        assert any(is_signed(body, signature, secret) for _, body, signature in receiver.received)
    browser.press(path, "Disable")
    assert client.v1.webhook_endpoints.retrieve(made.id).status == "disabled"
    browser.press(path, "Enable")
    assert client.v1.webhook_endpoints.retrieve(made.id).status == "enabled"


def is_signed(body, signature, secret):
    try:
        return stripe.Webhook.construct_event(body, signature, secret) is not None
    except stripe.SignatureVerificationError:
        return False


def test_the_clock_is_advanced_by_spans_and_to_a_date_and_reset(sandbox, client, browser):
    session = sandbox.session()
    browser.press("/dashboard/controls", "Advance an hour", span="hour")
    assert 3599 < sandbox.get("/_sandbox/clock").json()["offset"] < 3610
    browser.press("/dashboard/controls", "Advance a day", span="day")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    browser.press("/dashboard/controls", "Move the clock", date="2031-05-06T07:08")
    assert "06 May 2031, 07:08" in browser.open("/dashboard/controls").text
    for wrong in ("yesterday", "", "9999-12-31T23:59", "0001-01-01T00:00"):
        page = browser.press("/dashboard/controls", "Move the clock", date=wrong)
        assert (page.status, 'role="alert"' in page.text) == (400, True)
    browser.press("/dashboard/controls", "Reset to this machine's time", span="reset")
    assert sandbox.get("/_sandbox/clock").json()["offset"] == 0


def test_faults_and_modes_are_set_and_cleared(sandbox, receiver, client, browser):
    browser.press("/dashboard/controls", "Add fault", kind="rate_limit", method="POST", path="/v1/customers", count="2")
    assert sandbox.get("/_sandbox/faults").json()["faults"][0] | {"seconds": 0} == {
        "kind": "rate_limit", "method": "POST", "path": "/v1/customers", "remaining": 2, "seconds": 0,
    }  # fmt: skip
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.create()
    assert "The next 1 calls" in browser.open("/dashboard/controls").text
    browser.press("/dashboard/controls", "Clear all faults")
    assert client.v1.customers.create().id
    sandbox.drain()
    receiver.received.clear()
    browser.press("/dashboard/controls", "Set mode", mode="hold", types="product.created, price.created", count="")
    client.v1.customers.create()
    client.v1.products.create({"name": "Tea"})
    sandbox.drain()
    assert receiver.types() == ["customer.created"]
    browser.press("/dashboard/controls", "Return to normal and send what was held or dropped")
    sandbox.drain()
    assert receiver.types() == ["customer.created", "product.created"]
    for field in ({"kind": "rain"}, {"count": "many"}, {"seconds": "1e9"}):
        assert browser.press("/dashboard/controls", "Add fault", **field).status == 400


def test_a_test_clock_is_advanced(client, browser):
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_800_000_000, "name": "January"})
    path = f"/objects/{clock.id}"
    browser.press(path, "Advance by a day")
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id).frozen_time == 1_800_086_400
    browser.press(path, "Advance", date="2027-02-01T00:00")
    assert client.v1.test_helpers.test_clocks.retrieve(clock.id).frozen_time == 1_801_440_000
    assert browser.press(path, "Advance", date="2020-01-01T00:00").status == 400
