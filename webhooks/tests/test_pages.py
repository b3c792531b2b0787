"""The pages of endpoints and deliveries, and the admin."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import PASSWORD, UserFactory
from accounts.tests.signing_in import sign_in
from webhooks.models import Delivery, Endpoint, EndpointSecret
from webhooks.tests.factories import delivery_to, endpoint_at, ring, send_due

pytestmark = pytest.mark.django_db
NEW = "/my/webhooks/new/"


def client_of(user):
    client = Client()
    sign_in(client, user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def person():
    return UserFactory()


@pytest.fixture
def owner(person):
    return client_of(person)


def form(**changes):
    return {"url": "https://school.example/hooks", "description": "Books", "event_types": ["order.paid"], **changes}


def secret_in(page):
    (secret,) = re.findall(r'value="(whsec_[\w+/=]{44})"', page.content.decode())
    return secret


def test_an_endpoint_is_made_and_its_secret_shown_once(owner, person):
    page = owner.post(NEW, form())
    secret = secret_in(page)
    assert "no-store" in page.headers["Cache-Control"]
    endpoint = Endpoint.objects.get()
    assert (endpoint.user, endpoint.event_types, endpoint.sees_everything) == (person, ["order.paid"], False)
    for address in ("/my/webhooks/", f"/my/webhooks/{endpoint.pk}/", f"/my/webhooks/{endpoint.pk}/edit/"):
        shown = owner.get(address).content.decode()
        assert "https://school.example/hooks" in shown
        assert secret not in shown


@pytest.mark.parametrize(
    "changes",
    [
        {"url": ""},
        {"url": "https://10.0.0.1/"},
        {"url": "https://school.example/\x7f"},
        {"url": "https://school.example/" + "a" * 500},
        {"event_types": []},
        {"event_types": ["payout.paid"]},
        {"description": "a\u202eb"},
        {"description": "x" * 101},
    ],
)
def test_a_form_that_is_wrong_is_shown_again(owner, changes):
    assert owner.post(NEW, form(**changes)).status_code == 422
    assert not Endpoint.objects.exists()


def test_only_staff_with_the_permission_may_choose_the_events_of_all_people(owner):
    assert b"sees_everything" not in owner.get(NEW).content
    owner.post(NEW, form(sees_everything="on"))
    assert not Endpoint.objects.get().sees_everything
    staff = UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="receive_all_events"))
    client = client_of(staff)
    assert b"sees_everything" in client.get(NEW).content
    client.post(NEW, form(sees_everything="on", event_types=["payout.paid"]))
    assert Endpoint.objects.get(user=staff).sees_everything


def test_staff_without_a_second_factor_may_not(settings):
    settings.STAFF_NEEDS_MFA = True
    client = client_of(UserFactory(is_staff=True, is_superuser=True))
    assert b"sees_everything" not in client.get(NEW).content


def test_the_password_is_asked_for_again(person):
    client = Client()
    sign_in(client, person)
    endpoint = endpoint_at(user=person)
    for address in (NEW, reverse("webhooks:secret_rotate", args=[endpoint.pk])):
        answer = client.post(address, form())
        assert answer.headers["Location"].split("?")[0] == reverse("account_reauthenticate")
    assert (Endpoint.objects.count(), EndpointSecret.objects.count()) == (1, 1)


def test_an_endpoint_is_changed_switched_and_deleted(owner, person):
    endpoint = endpoint_at(user=person)
    page = f"/my/webhooks/{endpoint.pk}/"
    assert owner.post(f"{page}edit/", form(url="https://school.example/2")).status_code == 302
    assert owner.post(f"{page}edit/", form(url="ftp://school.example/2")).status_code == 422
    assert Endpoint.objects.get().url == "https://school.example/2"
    owner.post(f"{page}switch/", {"to": "off"})
    assert "Off" in owner.get(page).content.decode()
    assert owner.post(f"{page}test/", follow=True).content.decode().count("Switch the endpoint on first.") == 1
    owner.post(f"{page}switch/", {"to": "on"})
    assert Endpoint.objects.get().is_enabled
    assert "Delete" in owner.get(f"{page}delete/").content.decode()
    assert Endpoint.objects.exists()
    owner.post(f"{page}delete/")
    assert not Endpoint.objects.exists()
    assert "You have no endpoints" in owner.get("/my/webhooks/").content.decode()


def test_a_secret_is_replaced(owner, person):
    endpoint = endpoint_at(user=person)
    page = owner.post(f"/my/webhooks/{endpoint.pk}/secret/", {})
    assert EndpointSecret.objects.get(ends_at=None).secret == secret_in(page)
    assert EndpointSecret.objects.count() == 2
    owner.post(f"/my/webhooks/{endpoint.pk}/secret/", {"is_leaked": "on"})
    assert EndpointSecret.objects.count() == 1


def test_a_test_message_and_what_came_of_it_are_seen(owner, person, receiver):
    receiver.status, receiver.body = 500, b"<script>alert(1)</script>"
    endpoint = endpoint_at(receiver.url, user=person)
    owner.post(f"/my/webhooks/{endpoint.pk}/test/")
    [delivery] = send_due()
    listed = owner.get(f"/my/webhooks/{endpoint.pk}/").content.decode()
    assert "webhook.test" in listed
    assert "Will be tried again" in listed
    shown = owner.get(f"/my/webhooks/deliveries/{delivery.pk}/").content.decode()
    assert "The server answered 500." in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert delivery.event.message_id in shown
    receiver.status = 200
    owner.post(f"/my/webhooks/deliveries/{delivery.pk}/replay/")
    assert send_due()[0].state == "done"
    assert "Arrived" in owner.get(f"/my/webhooks/deliveries/{delivery.pk}/").content.decode()


def test_many_are_sent_again(owner, person, receiver):
    endpoint = endpoint_at(receiver.url, user=person)
    for _ in range(3):
        ring(person)
    send_due()
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state="parked")
    address = f"/my/webhooks/{endpoint.pk}/replay/"
    assert (
        "1 message will be sent again."
        in owner.post(address, {"since": "1", "only_failed": "failed"}, follow=True).content.decode()
    )
    send_due()
    assert (
        "3 messages will be sent again."
        in owner.post(address, {"since": "24", "only_failed": "all"}, follow=True).content.decode()
    )
    for wrong in ({}, {"since": "99999", "only_failed": "all"}, {"since": "1", "only_failed": "maybe"}):
        assert "Choose from when on" in owner.post(address, wrong, follow=True).content.decode()


def test_pages_of_others_are_not_found(owner):
    endpoint = endpoint_at()
    ring(endpoint.user)
    delivery = Delivery.objects.get()
    addresses = [reverse(f"webhooks:{name}", args=[endpoint.pk]) for name in (
        "endpoint", "endpoint_edit", "endpoint_switch", "endpoint_test", "secret_rotate", "endpoint_delete",
        "endpoint_replay",
    )]  # fmt: skip
    addresses += [reverse(f"webhooks:{name}", args=[delivery.pk]) for name in ("delivery", "delivery_replay")]
    for address in addresses:
        assert owner.post(address, form()).status_code in (404, 405), address
        assert owner.get(address).status_code in (404, 405), address
    delivery.refresh_from_db()
    assert (delivery.state, Endpoint.objects.get().is_enabled, EndpointSecret.objects.count()) == ("waiting", True, 1)


def test_the_pages_make_as_many_queries_however_many_rows_there_are(owner, person, django_assert_max_num_queries):
    endpoint = endpoint_at(user=person)
    for number in range(5):
        endpoint_at(f"https://school.example/{number}", user=person)
    for _ in range(40):
        ring(person)
    with django_assert_max_num_queries(12):
        owner.get("/my/webhooks/")
    with django_assert_max_num_queries(12):
        page = owner.get(f"/my/webhooks/{endpoint.pk}/?page=2&state=waiting")
    assert "Page 2 of 2" in page.content.decode()
    assert owner.get(f"/my/webhooks/{endpoint.pk}/?page=x&state=nonsense").status_code == 200


# --- The admin


def staff_client(group):
    staff = UserFactory(is_staff=True)
    staff.groups.add(Group.objects.get(name=group))
    return client_of(staff)


def test_staff_see_all_without_secrets_and_send_again(receiver):
    delivery = delivery_to(receiver.url)
    [delivery] = send_due()
    secret = EndpointSecret.objects.get().secret
    client = staff_client("admin")
    lists = [reverse(f"admin:webhooks_{name}_changelist") for name in ("endpoint", "delivery")]
    pages = [
        *lists,
        f"{lists[1]}?event__type=bell.rung&state__exact=done&answer_status=200",
        f"{lists[1]}?q={quote(receiver.url)}",
        f"{lists[1]}?q={delivery.event.message_id}",
        reverse("admin:webhooks_endpoint_change", args=[delivery.endpoint_id]),
        reverse("admin:webhooks_delivery_change", args=[delivery.pk]),
    ]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert secret not in answer.content.decode()
        assert receiver.url in answer.content.decode() or page == lists[0], page
    client.post(lists[1], {"action": "replay_selected", "_selected_action": [delivery.pk]})
    send_due()
    assert len(receiver.messages) == 2


def test_staff_switch_endpoints(receiver):
    endpoint = endpoint_at()
    client = staff_client("admin")
    address = reverse("admin:webhooks_endpoint_changelist")
    client.post(address, {"action": "switch_off_selected", "_selected_action": [endpoint.pk]})
    assert not Endpoint.objects.get().is_enabled
    client.post(address, {"action": "enable_selected", "_selected_action": [endpoint.pk]})
    assert Endpoint.objects.get().is_enabled
    assert client.get(f"{address}add-for-platform/").headers["Location"] == NEW


def test_support_only_looks():
    delivery = delivery_to("https://school.example/hooks")
    Delivery.objects.update(state="parked", finished_at=timezone.now() - timedelta(days=1))
    client = staff_client("support")
    address = reverse("admin:webhooks_delivery_changelist")
    assert client.get(address).status_code == 200
    client.post(address, {"action": "replay_selected", "_selected_action": [delivery.pk]})
    delivery.refresh_from_db()
    assert delivery.state == "parked"
