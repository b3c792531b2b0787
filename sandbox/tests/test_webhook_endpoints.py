import time

import pytest
import stripe


def test_the_payload_has_the_endpoints_version(sandbox, receiver, client):
    existing = client.v1.webhook_endpoints.list().data[0]
    client.v1.webhook_endpoints.delete(existing.id)
    made = client.v1.webhook_endpoints.create(
        {"url": receiver.url, "enabled_events": ["*"], "api_version": "2026-05-27.dahlia"}
    )
    assert made.api_version == "2026-05-27.dahlia"
    client.v1.customers.create()
    sandbox.drain()
    assert receiver.received[0][0]["api_version"] == "2026-05-27.dahlia"
    assert client.v1.events.list().data[0].api_version == "2026-08-26.dahlia"


@pytest.mark.parametrize(
    ("wrong", "param", "message"),
    [
        ({"enabled_events": ["charge.exploded"]}, "enabled_events[0]", "must be one of"),
        ({"enabled_events": ["*", "charge.updated"]}, "enabled_events", "must be the only one"),
        ({"enabled_events": ["*"], "url": "ftp://example.org/"}, "url", "explicit scheme"),
        ({"enabled_events": ["*"], "url": "http://example.org/" + "a" * 2048}, "url", "at most 2048"),
        ({"enabled_events": ["*"], "api_version": "1999-01-01"}, "api_version", "must be one of"),
        ({"url": "http://example.org/"}, "enabled_events", "Missing required param"),
        ({"enabled_events": ["*"], "colour": "blue"}, "colour", "unknown parameter"),
    ],
)
def test_an_invalid_endpoint_is_refused(client, wrong, param, message):
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        client.v1.webhook_endpoints.create(
            {"url": "http://example.org/hooks"} | wrong if "enabled_events" in wrong else wrong
        )
    assert refused.value.param == param


def test_endpoints_can_be_updated_listed_and_deleted(sandbox, client):
    made = client.v1.webhook_endpoints.create(
        {
            "url": "http://127.0.0.1:1/a",
            "enabled_events": ["charge.updated"],
            "description": "Mine",
            "metadata": {"a": "1"},
        }
    )
    changed = client.v1.webhook_endpoints.update(
        made.id,
        {"enabled_events": ["refund.created"], "url": "http://127.0.0.1:1/b", "description": "", "disabled": True},
    )
    assert (changed.enabled_events, changed.url, changed.description, changed.status, changed.metadata.to_dict()) == (
        ["refund.created"], "http://127.0.0.1:1/b", None, "disabled", {"a": "1"},
    )  # fmt: skip
    assert made.id in [endpoint.id for endpoint in client.v1.webhook_endpoints.list({"limit": 5}).data]
    with pytest.raises(stripe.InvalidRequestError, match="must be one of"):
        client.v1.webhook_endpoints.update(made.id, {"enabled_events": ["no.such"]})
    assert client.v1.webhook_endpoints.delete(made.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such webhook endpoint"):
        client.v1.webhook_endpoints.retrieve(made.id)


def test_events_can_be_filtered_by_type_time_and_delivery(sandbox, receiver, client):
    customer = client.v1.customers.create()
    client.v1.products.create({"name": "Tea"})
    sandbox.drain()
    receiver.answers[:] = [500]
    client.v1.customers.update(customer.id, {"name": "Ada"})
    sandbox.drain()

    def types(**filters):
        return [event.type for event in client.v1.events.list(filters).data]

    assert types(type="customer.*") == ["customer.updated", "customer.created"]
    assert types(types=["product.created", "customer.created"]) == ["product.created", "customer.created"]
    assert types(created={"gt": int(time.time()) + 60}) == []
    assert types(delivery_success=False, type="customer.updated") + types(delivery_success=True) == types()
    with pytest.raises(stripe.InvalidRequestError, match="only specify one of these"):
        types(type="customer.created", types=["customer.created"])
    with pytest.raises(stripe.InvalidRequestError, match="No such event: 'evt_none'"):
        client.v1.events.retrieve("evt_none")
