import time

import pytest
import requests
import stripe

from sandbox.tests.sandbox_process import WEBHOOK_SECRET, SandboxProcess


def test_signatures_verify_with_stripes_own_client(sandbox, receiver):
    sandbox.pay(sandbox.session())
    sandbox.drain()
    assert sorted(receiver.types())[:2] == ["charge.succeeded", "checkout.session.completed"]
    for _, body, signature in receiver.received:
        event = stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
        assert (event.api_version, event.livemode) == ("2026-08-26.dahlia", False)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body + b" ", signature, WEBHOOK_SECRET)


def test_events_name_the_request_that_caused_them(sandbox, client):
    client.v1.customers.create({"email": "a@example.org"}, {"idempotency_key": "key-1"})
    event = client.v1.events.list({"type": "customer.created"}).data[0]
    assert event["request"]["idempotency_key"] == "key-1"
    assert event["request"]["id"].startswith("req_")


@pytest.mark.parametrize("status", [500, 302])
def test_a_refused_event_is_sent_again_after_a_second(sandbox, receiver, client, status):
    receiver.answers[:] = [status]
    client.v1.customers.create({"email": "a@example.org"})
    sandbox.drain()
    assert len(receiver.received) == 1
    assert client.v1.events.list().data[0].pending_webhooks == 1
    sandbox.advance(1.5)
    assert receiver.types() == ["customer.created", "customer.created"]
    assert receiver.received[0][0]["id"] == receiver.received[1][0]["id"]
    assert client.v1.events.list().data[0].pending_webhooks == 0


def first_delivery(sandbox):
    return sandbox.get("/_sandbox/deliveries").json()["deliveries"][0]


def test_the_waits_between_retries_grow_and_retries_end_after_a_few_hours(sandbox, receiver, client):
    receiver.answers[:] = [500] * 10
    client.v1.customers.create()
    sandbox.drain()
    for number, wait in enumerate([1, 5, 30, 300, 3600, 7200], start=1):
        assert (first_delivery(sandbox)["attempts"], first_delivery(sandbox)["state"]) == (number, "pending")
        assert first_delivery(sandbox)["next_attempt_at"] - first_delivery(sandbox)["last_attempt_at"] == pytest.approx(
            wait
        )
        sandbox.advance(wait + 1)
    assert (first_delivery(sandbox)["attempts"], first_delivery(sandbox)["state"]) == (7, "abandoned")
    sandbox.advance(30 * 86400)
    assert len(receiver.received) == 7


def test_the_delays_of_retries_can_be_set(tmp_path, own_receiver):
    own_receiver.answers[:] = [500, 500]
    process = SandboxProcess(tmp_path, SANDBOX_WEBHOOK_URL=own_receiver.url, SANDBOX_RETRY_DELAYS="60")
    try:
        process.client.v1.customers.create()
        process.drain()
        assert first_delivery(process)["next_attempt_at"] - first_delivery(process)["last_attempt_at"] == pytest.approx(
            60
        )
        process.advance(61)
        assert (first_delivery(process)["attempts"], first_delivery(process)["state"]) == (2, "abandoned")
    finally:
        process.close()


def test_a_disabled_endpoint_is_sent_nothing(sandbox, receiver, client):
    endpoint = client.v1.webhook_endpoints.list().data[0]
    client.v1.webhook_endpoints.update(endpoint.id, {"disabled": True})
    client.v1.customers.create()
    sandbox.drain()
    assert receiver.received == []


def test_an_endpoint_is_sent_only_its_enabled_events_signed_with_its_own_secret(sandbox, receiver, client):
    existing = client.v1.webhook_endpoints.list().data[0]
    client.v1.webhook_endpoints.delete(existing.id)
    created = client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["customer.updated"]})
    assert created.secret.startswith("whsec_")
    assert not hasattr(client.v1.webhook_endpoints.retrieve(created.id), "secret")
    customer = client.v1.customers.create()
    client.v1.customers.update(customer.id, {"name": "Ada"})
    sandbox.drain()
    event, body, signature = receiver.received[0]
    assert receiver.types() == ["customer.updated"]
    assert event["data"]["previous_attributes"] == {"name": None}
    assert stripe.Webhook.construct_event(body, signature, created.secret)


def test_both_secrets_sign_after_a_rotation(sandbox, receiver, client):
    endpoint = client.v1.webhook_endpoints.list().data[0]
    fresh = sandbox.switch("deliveries", rotate_secret=endpoint.id)["secret"]
    client.v1.customers.create()
    sandbox.drain()
    _, body, signature = receiver.received[0]
    assert stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
    assert stripe.Webhook.construct_event(body, signature, fresh)


def test_held_and_dropped_deliveries_can_be_released(sandbox, receiver, client):
    for mode in ("hold", "drop"):
        sandbox.switch("deliveries", mode=mode)
        client.v1.customers.create()
        sandbox.drain()
        assert receiver.received == []
        assert sandbox.switch("deliveries", release=True)["released"] == 1
        sandbox.drain()
        assert receiver.types() == ["customer.created"]
        receiver.received.clear()


def test_a_dropped_delivery_is_not_sent_again(sandbox, receiver, client):
    sandbox.switch("deliveries", mode="drop")
    client.v1.customers.create()
    sandbox.advance(30 * 86400)
    assert receiver.received == []
    assert client.v1.events.list({"delivery_success": False}).data[0].type == "customer.created"


def test_shuffle_mode_delivers_in_another_order_within_the_given_seconds(sandbox, receiver, client):
    sandbox.switch("deliveries", mode="shuffle", seconds=100)
    for _ in range(8):
        client.v1.customers.create()
    sandbox.drain()
    due = [row["next_attempt_at"] for row in sandbox.get("/_sandbox/deliveries").json()["deliveries"]][::-1]
    assert due != sorted(due)
    sandbox.advance(101)
    assert len(receiver.received) == 8


def test_a_mode_can_be_limited_to_event_types(sandbox, receiver, client):
    sandbox.switch("deliveries", mode="hold", types=["customer.updated"])
    customer = client.v1.customers.create()
    client.v1.customers.update(customer.id, {"name": "Ada"})
    sandbox.drain()
    assert receiver.types() == ["customer.created"]
    sandbox.switch("deliveries", mode="wrong_signature", types=["customer.deleted"])
    client.v1.customers.update(customer.id, {"name": "Bee"})
    client.v1.customers.delete(customer.id)
    sandbox.drain()
    for event, body, signature in receiver.received[1:]:
        if event["type"] == "customer.deleted":
            with pytest.raises(stripe.SignatureVerificationError):
                stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
        else:
            assert stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)
    assert len(receiver.received) == 3


def test_duplicate_mode_sends_the_same_event_twice(sandbox, receiver, client):
    sandbox.switch("deliveries", mode="duplicate", count=1)
    client.v1.customers.create()
    client.v1.customers.create()
    sandbox.drain()
    assert len(receiver.received) == 3
    assert len({event["id"] for event, _, _ in receiver.received}) == 2


def test_delay_mode_delivers_after_the_given_seconds(sandbox, receiver, client):
    sandbox.switch("deliveries", mode="delay", seconds=100)
    client.v1.customers.create()
    sandbox.drain()
    assert receiver.received == []
    sandbox.advance(101)
    assert receiver.types() == ["customer.created"]


def test_wrong_signatures_and_old_timestamps_can_be_sent(sandbox, receiver, client):
    for mode in ("wrong_signature", "old_timestamp"):
        sandbox.switch("deliveries", mode=mode)
        client.v1.customers.create()
        sandbox.drain()
        _, body, signature = receiver.received.pop()
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET)


def test_an_event_can_be_resent(sandbox, receiver, client):
    client.v1.customers.create()
    sandbox.drain()
    event_id = receiver.received[0][0]["id"]
    assert sandbox.switch(f"events/{event_id}/resend") == {"resent": 1}
    sandbox.drain()
    assert [event["id"] for event, _, _ in receiver.received] == [event_id, event_id]


def test_a_restart_resumes_pending_deliveries(tmp_path, own_receiver):
    own_receiver.answers[:] = [500]
    process = SandboxProcess(tmp_path, SANDBOX_WEBHOOK_URL=own_receiver.url, SANDBOX_WEBHOOK_SECRET=WEBHOOK_SECRET)
    try:
        process.client.v1.customers.create()
        process.drain()
        assert process.stop() == 0
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{process.url}/_sandbox/health", timeout=1)
        process.start()
        deadline = time.monotonic() + 10
        while len(own_receiver.received) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert own_receiver.types() == ["customer.created", "customer.created"]
        assert len(process.client.v1.webhook_endpoints.list().data) == 1
    finally:
        process.close()


def test_the_configured_endpoint_uses_the_event_types_of_the_current_environment(tmp_path, own_receiver):
    wanted = {"SANDBOX_WEBHOOK_URL": own_receiver.url, "SANDBOX_WEBHOOK_EVENTS": "customer.deleted,customer.updated"}
    process = SandboxProcess(tmp_path, **wanted)
    try:
        customer = process.client.v1.customers.create()
        process.client.v1.customers.update(customer.id, {"name": "Ada"})
        process.drain()
        assert own_receiver.types() == ["customer.updated"]
        process.stop()
        process.environment["SANDBOX_WEBHOOK_EVENTS"] = ""
        process.start()
        process.client.v1.customers.create()
        process.drain()
        assert own_receiver.types() == ["customer.updated", "customer.created"]
    finally:
        process.close()


def test_a_restart_keeps_modes_and_faults(tmp_path):
    process = SandboxProcess(tmp_path)
    try:
        process.switch("deliveries", mode="hold", types=["customer.created"], count=2)
        process.switch("faults", kind="rate_limit", path="/v1/customers", count=2)
        with pytest.raises(stripe.RateLimitError):
            process.client.v1.customers.create()
        process.stop()
        process.start()
        mode = process.get("/_sandbox/deliveries").json()["mode"]
        assert mode == {"name": "hold", "types": ["customer.created"], "seconds": 1.0, "remaining": 2}
        with pytest.raises(stripe.RateLimitError):
            process.client.v1.customers.create()
        assert process.client.v1.customers.create().id
    finally:
        process.close()
