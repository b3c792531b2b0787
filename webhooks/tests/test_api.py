"""Endpoints over the API, and what the document says of them and of the messages."""

import json
import uuid

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from standardwebhooks import Webhook

from accounts.tests.factories import UserFactory
from integrations.scopes import Scope
from integrations.tests.factories import program_of
from webhooks.event_types import registered_event_types
from webhooks.models import Delivery, Endpoint, EndpointSecret
from webhooks.tests.factories import endpoint_at, ring, send_due

pytestmark = pytest.mark.django_db
LIST = "/api/v1/webhook-endpoints"


@pytest.fixture
def person():
    return UserFactory()


@pytest.fixture
def program(person):
    return program_of(person, Scope.WEBHOOKS_READ, Scope.WEBHOOKS_WRITE)


def send(client, method, address, body=None, *, key=None):
    return getattr(client, method)(
        address,
        json.dumps(body) if body is not None else "",
        content_type="application/json",
        headers={"Idempotency-Key": key or uuid.uuid4().hex},
    )


def made(program, url="https://school.example/hooks", **changes):
    return send(program, "post", LIST, {"url": url, "event_types": ["order.paid"], **changes})


def test_from_making_an_endpoint_to_a_message_that_is_sent_again(program, receiver):
    answer = made(program, receiver.url, description="Books").json()
    endpoint, secret = answer["endpoint"], answer["secret"]
    assert (endpoint["url"], endpoint["event_types"], endpoint["is_enabled"]) == (receiver.url, ["order.paid"], True)
    delivery = send(program, "post", f"{LIST}/{endpoint['id']}/test").json()
    assert (delivery["type"], delivery["state"], delivery["tries"]) == ("webhook.test", "waiting", 0)
    send_due()
    shown = program.get(f"/api/v1/webhook-deliveries/{delivery['id']}").json()
    assert (shown["state"], shown["answer_status"], shown["answer_beginning"]) == ("done", 200, "thanks")
    assert Webhook(secret).verify(receiver.messages[0].body, receiver.messages[0].headers) == shown["payload"]
    assert send(program, "post", f"/api/v1/webhook-deliveries/{delivery['id']}/replay").json()["state"] == "waiting"
    send_due()
    again = {"since": "2000-01-01T00:00:00Z", "only_failed": False}
    assert send(program, "post", f"{LIST}/{endpoint['id']}/replay", again).json() == {"count": 1}
    send_due()
    assert [message.headers["webhook-id"] for message in receiver.messages] == [shown["webhook_id"]] * 3
    assert [row["id"] for row in program.get(f"{LIST}/{endpoint['id']}/deliveries").json()["results"]] == [shown["id"]]


def test_a_repeated_request_makes_one_endpoint_and_gets_the_same_secret(program):
    body = {"url": "https://school.example/hooks", "event_types": ["order.paid"]}
    first, second = (send(program, "post", LIST, body, key="same") for _ in range(2))
    assert first.content == second.content
    assert (Endpoint.objects.count(), EndpointSecret.objects.count()) == (1, 1)
    assert "no-store" in first.headers["Cache-Control"]


def test_it_is_changed_switched_rotated_and_deleted(program):
    endpoint = made(program).json()["endpoint"]
    address = f"{LIST}/{endpoint['id']}"
    changed = send(program, "patch", address, {"is_enabled": False, "description": "a\nb"}).json()
    assert (changed["is_enabled"], changed["description"], changed["url"]) == (False, "a b", endpoint["url"])
    assert send(program, "patch", address, {"is_enabled": True}).json()["is_enabled"] is True
    secret = send(program, "post", f"{address}/secret", {"is_leaked": True}).json()["secret"]
    assert EndpointSecret.objects.get().secret == secret
    assert [row["id"] for row in program.get(LIST).json()["results"]] == [endpoint["id"]]
    assert send(program, "delete", address).json()["id"] == endpoint["id"]
    assert program.get(address).status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"url": "http://10.0.0.1/"}, 409),
        ({"url": "https://school.example/\x00"}, 400),
        ({"url": 5}, 409),
        ({"url": None}, 400),
        ({"url": "https://school.example/" + "a" * 500}, 400),
        ({"event_types": []}, 400),
        ({"event_types": "order.paid"}, 400),
        ({"event_types": ["payout.paid"]}, 409),
        ({"event_types": ["order.paid"] * 101}, 400),
        ({"event_types": [{"a": 1}]}, 400),
        ({"description": "a\u202eb"}, 400),
        ({"sees_everything": True}, 200),
    ],
)
def test_hostile_input_gets_a_clear_answer(program, changes, status):
    answer = made(program, **changes)
    assert answer.status_code == status, answer.content
    assert Endpoint.objects.filter(sees_everything=True).count() == 0
    assert Endpoint.objects.count() == (status == 200)
    if status != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"


def addresses(endpoint):
    delivery = Delivery.objects.get(endpoint=endpoint)
    one, theirs = f"{LIST}/{endpoint.pk}", f"/api/v1/webhook-deliveries/{delivery.pk}"
    return [
        ("get", one), ("patch", one), ("delete", one), ("post", f"{one}/secret"), ("post", f"{one}/test"),
        ("post", f"{one}/replay"), ("get", f"{one}/deliveries"), ("get", theirs), ("post", f"{theirs}/replay"),
    ]  # fmt: skip


def test_what_belongs_to_others_is_not_found(program):
    endpoint = endpoint_at()
    ring(endpoint.user)
    for method, address in addresses(endpoint):
        body = None if method == "get" else {"since": timezone.now().isoformat()}
        answer = program.get(address) if method == "get" else send(program, method, address, body)
        assert answer.status_code == 404, (method, address)
    assert Endpoint.objects.get().is_enabled
    assert program.get(LIST).json()["results"] == []


def test_a_token_needs_the_scope(person):
    endpoint = endpoint_at(user=person)
    ring(person)
    reader = program_of(person, Scope.WEBHOOKS_READ, name="Reader")
    for method, address in addresses(endpoint):
        answer = reader.get(address) if method == "get" else send(reader, method, address, {})
        assert answer.status_code == (200 if method == "get" else 403), (method, address)
    other = program_of(person, Scope.PURCHASES_READ, name="Other")
    assert other.get(LIST).status_code == 403
    assert Client().get(LIST).status_code == 401


def test_lists_make_as_many_queries_however_long_they_are(program, person, django_assert_max_num_queries):
    endpoint = endpoint_at(user=person)
    for _ in range(30):
        ring(person)
    program.get(LIST)
    with django_assert_max_num_queries(14):
        assert len(program.get(f"{LIST}/{endpoint.pk}/deliveries").json()["results"]) == 30


# --- The document


def test_the_document_describes_every_kind_of_event():
    document = SchemaGenerator().get_schema(request=None, public=True)
    assert set(document["webhooks"]) == {each.name for each in registered_event_types()}
    paid = document["webhooks"]["order.paid"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert paid["properties"]["data"]["properties"]["lines"]["items"]["required"][0] == "id"


def test_the_page_documents_them():
    page = Client().get(reverse("api_documentation")).content.decode()
    for each in registered_event_types():
        assert f'id="event-{each.name}"' in page
