"""The admin of orders and events: staff see them, and can replay an event after a fix."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from jobs.runner import drain
from notifications.models import Alert
from payments.models import MirrorSync, Order, Payment, Refund, WebhookEvent
from payments.settlement import settle_payment
from payments.tests.factories import event_of, evidence_for, open_order, sample_offer, session_object
from payments.tests.sample_domain import SAMPLE
from payments.webhook.inbox import store_event

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.org", "correct horse battery"))
    return client


def bought_with_an_event():
    payment = open_order()
    store_event(event_of("checkout.session.completed", session_object(payment)), source="webhook")
    drain(WebhookEvent, seconds=5)
    return payment


@pytest.mark.parametrize("model", [Order, Payment, Refund, WebhookEvent, MirrorSync])
def test_every_list_and_page_opens(staff, model):
    payment = bought_with_an_event()
    reference = sample_offer()
    gone = open_order(reference)
    SAMPLE.undeliverable.add(reference)
    settle_payment(evidence_for(gone))
    name = model._meta.model_name
    assert staff.get(f"/admin/payments/{name}/").status_code == 200
    for row in model.objects.all():
        assert staff.get(f"/admin/payments/{name}/{row.pk}/change/").status_code == 200
    assert staff.get(f"/admin/payments/{name}/", {"q": payment.order.number}).status_code == 200


def test_an_orders_page_shows_lines_shares_payments_and_events(staff):
    payment = bought_with_an_event()
    page = staff.get(f"/admin/payments/order/{payment.order_id}/change/").content.decode()
    event = WebhookEvent.objects.get()
    for expected in (
        payment.order.number,
        "£25.00",
        "£2.50 (10 %)",
        "£22.50",
        payment.stripe_session_id,
        event.stripe_id,
    ):
        assert expected in page


def test_an_events_page_shows_payload_attempts_and_outcome(staff):
    bought_with_an_event()
    event = WebhookEvent.objects.get()
    page = staff.get(f"/admin/payments/webhookevent/{event.pk}/change/").content.decode()
    assert "client_reference_id" in page
    assert "settled" in page


def test_a_quarantined_event_can_be_replayed_after_a_fix(staff):
    payment = open_order()
    session_id = payment.stripe_session_id
    store_event(
        event_of("checkout.session.completed", session_object(payment, client_reference_id=None)), source="webhook"
    )
    Payment.objects.update(stripe_session_id="cs_other")
    drain(WebhookEvent, seconds=5)
    event = WebhookEvent.objects.get()
    assert event.is_quarantined
    Payment.objects.update(stripe_session_id=session_id)
    staff.post("/admin/payments/webhookevent/", {"action": "retry_selected", "_selected_action": [event.pk]})
    drain(WebhookEvent, seconds=5)
    payment.order.refresh_from_db()
    assert payment.order.is_paid


@pytest.mark.parametrize("name", ["order", "payment", "refund", "webhookevent"])
def test_staff_cannot_add_or_delete_anything(staff, name):
    bought_with_an_event()
    assert staff.get(f"/admin/payments/{name}/add/").status_code == 403
    order = Order.objects.get()
    staff.post(f"/admin/payments/order/{order.pk}/delete/", {"post": "yes"})
    staff.post(f"/admin/payments/order/{order.pk}/change/", {"state": "cancelled", "total_minor": 1})
    order.refresh_from_db()
    assert (order.state, order.total_minor) == ("completed", 2500)


def test_the_order_list_takes_the_same_number_of_queries_for_1_and_10_rows(staff):
    counts = []
    for rows in (1, 9):
        for _ in range(rows):
            settle_payment(evidence_for(open_order()))
        staff.get("/admin/payments/order/")
        with CaptureQueriesContext(connection) as queries:
            staff.get("/admin/payments/order/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_students_cannot_open_the_admin():
    client = Client()
    client.force_login(User.objects.create_user("student@example.org", "correct horse battery"))
    assert client.get("/admin/payments/order/").status_code in (302, 403, 404)


def test_an_event_that_cannot_be_loaded_is_parked_and_every_page_about_it_still_opens(staff):
    payment = open_order()
    event = event_of("checkout.session.completed", session_object(payment))
    store_event(event, source="webhook")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payments_webhookevent SET payload = payload || '{\"n\": 1e5000}', order_id = %s", [payment.order_id]
        )
    drain(WebhookEvent, seconds=5)
    row = WebhookEvent.objects.defer("payload").get()
    assert (row.state, Alert.objects.filter(key=f"webhook-event-parked:{row.type}").count()) == ("parked", 1)
    for page in (
        "webhookevent/",
        f"webhookevent/?q={row.stripe_id}",
        f"webhookevent/{row.pk}/change/",
        f"order/{payment.order_id}/change/",
    ):
        assert staff.get(f"/admin/payments/{page}").status_code == 200, page
    chosen = {"action": "retry_selected", "_selected_action": [row.pk]}
    assert staff.post("/admin/payments/webhookevent/", chosen, follow=True).status_code == 200
    assert WebhookEvent.objects.defer("payload").get().state == "waiting"
