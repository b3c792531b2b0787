"""Stripe's objects in the admin: read-only, and without the keys and secrets stored with them."""

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from djstripe.models import Charge, Event, PaymentIntent

from accounts.models import User
from accounts.tests.factories import UserFactory
from payments.models import WebhookEvent
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db
RECORDS = [model for model in apps.get_app_config("djstripe").get_models() if admin.site.is_registered(model)]
SECRETS = ("APIKey", "WebhookEndpoint", "WebhookEventTrigger", "IdempotencyKey")
WAYS_TO_ACT = ("_sync_all_instances", "_resync_instances", "_cancel", "dispatch", "nothing")


@pytest.fixture
def boss():
    client = Client()
    client.force_login(User.objects.create_superuser("boss@example.org", "correct horse battery"))
    return client


def address(model, page="changelist", *parts):
    return reverse(f"admin:djstripe_{model._meta.model_name}_{page}", args=parts)


def record(model, stripe_id="row_1"):
    """A row of any of dj-stripe's tables, and the rows it refers to, each with only the required columns filled."""
    fields = model._meta.concrete_fields
    needed = [field for field in fields if not (field.null or field.has_default() or field.primary_key)]
    values = {field.name: value_for(field) for field in needed}
    values |= {"id": stripe_id, "stripe_data": {}}
    return model.objects.get_or_create(id=stripe_id, defaults=values)[0]


def value_for(field):
    if field.is_relation:
        return record(field.related_model, f"{field.name}_1")
    known = {
        "StripeDateTimeField": timezone.now(),
        "JSONField": {},
        "BooleanField": False,
        "StripeCurrencyCodeField": "gbp",
    }
    return known.get(type(field).__name__, 1)


def intent(**data):
    return PaymentIntent.objects.create(id="pi_1", livemode=False, stripe_data={"id": "pi_1", "amount": 2500, **data})


def test_no_page_shows_a_key_or_a_secret(boss):
    row = intent(client_secret="pi_1_secret_canary", next={"deep": [{"secret": "canary"}]})
    for page in (address(PaymentIntent), address(PaymentIntent, "change", row.pk)):
        shown = boss.get(page).content.decode()
        assert "pi_1" in shown
        assert settings.STRIPE_SECRET_KEY not in shown
        assert "canary" not in shown
    assert "2500" in shown


def test_an_event_is_shown_without_the_secrets_in_it(boss):
    payload = {"id": "evt_1", "type": "payment_intent.succeeded", "object": "event", "livemode": False}
    payload["data"] = {"object": {"id": "pi_1", "object": "payment_intent", "client_secret": "canary", "amount": 25}}
    store_event(payload, source="webhook")
    Event.objects.create(id="evt_1", stripe_data=payload, data={})
    for shown in (WebhookEvent.objects.get(), Event.objects.get()):
        name = f"admin:{shown._meta.app_label}_{shown._meta.model_name}_change"
        page = boss.get(reverse(name, args=[shown.pk])).content.decode()
        assert "payment_intent.succeeded" in page
        assert "client_secret" in page
        assert "canary" not in page


def test_tables_that_hold_secrets_have_no_page():
    assert not {model.__name__ for model in RECORDS} & set(SECRETS)
    assert Charge in RECORDS


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_every_record_is_shown_and_found(boss, model):
    row = record(model)
    page = boss.get(address(model), {"q": "row_1"})
    assert list(page.context["cl"].result_list) == [row]
    for name in ("change", "history"):
        shown = boss.get(address(model, name, row.pk))
        assert shown.status_code == 200
        assert f"{model._meta.verbose_name} row_1" in shown.content.decode()
    assert boss.get(address(model), {"q": "row_2"}).context["cl"].result_count == 0


@pytest.mark.parametrize("group", [None, "support", "finance", "admin", "superuser"])
def test_no_copy_of_stripes_objects_can_be_changed_in_the_admin(group, boss):
    client = boss
    if group != "superuser":
        client, user = Client(), UserFactory(is_staff=True)
        user.groups.set(Group.objects.filter(name=group))
        client.force_login(user)
    row = intent()
    for name in WAYS_TO_ACT:
        for model_name in ("paymentintent", "price", "nothing"):
            for send in (client.get, client.post):
                answer = send(f"{address(PaymentIntent)}action/{name}/{model_name}/", {"_selected_action": row.pk})
                # Interpreted as the id of a row, which does not exist.
                assert answer.status_code in (301, 302, 403, 404), name
                assert answer.headers.get("Location", "").rstrip("/") != address(PaymentIntent).rstrip("/")
        answer = client.post(address(PaymentIntent), {"action": name, "_selected_action": row.pk})
        # The list again, without a page that asks for confirmation.
        assert answer.status_code == 403 or "cl" in answer.context, name
    for page in (address(PaymentIntent, "add"), address(PaymentIntent, "delete", row.pk)):
        assert client.post(page, {"post": "yes"}).status_code == 403
    assert client.post(address(PaymentIntent, "change", row.pk), {"id": "pi_2"}).status_code == 403
    assert PaymentIntent.objects.get().id == "pi_1"


def test_a_list_offers_no_action(boss):
    intent()
    for model in RECORDS:
        its_admin = admin.site.get_model_admin(model)
        request = boss.get(address(model)).wsgi_request
        assert its_admin.get_actions(request) == {}, model
