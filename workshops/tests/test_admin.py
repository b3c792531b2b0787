"""Staff look things up, mend them, and put workshops on and off sale."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalogue.models import Listing
from workshops.handler import WorkshopHandler
from workshops.models import Registration, Workshop
from workshops.tests.factories import make_line, make_workshop

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()


@pytest.fixture
def staff(settings):
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.org", "correct horse battery"))
    return client


def sent_for(workshop, **changes):
    session, price = workshop.sessions.get(), workshop.prices.get()
    return {
        "title": workshop.title,
        "summary": workshop.summary,
        "teacher": workshop.teacher_id,
        "subject": workshop.subject_id,
        "language": "en",
        "place": workshop.place,
        "time_zone": "Europe/London",
        "capacity": workshop.capacity,
        "sessions-TOTAL_FORMS": "1",
        "sessions-INITIAL_FORMS": "1",
        "sessions-0-id": session.pk,
        "sessions-0-workshop": workshop.pk,
        "sessions-0-starts_at_0": f"{session.starts_at:%Y-%m-%d}",
        "sessions-0-starts_at_1": f"{session.starts_at:%H:%M:%S}",
        "sessions-0-ends_at_0": f"{session.ends_at:%Y-%m-%d}",
        "sessions-0-ends_at_1": f"{session.ends_at:%H:%M:%S}",
        "prices-TOTAL_FORMS": "1",
        "prices-INITIAL_FORMS": "1",
        "prices-0-id": price.pk,
        "prices-0-workshop": workshop.pk,
        "prices-0-currency": price.currency,
        "prices-0-amount_minor": price.amount_minor,
    } | changes


def test_lists_and_forms_open(staff):
    workshop = make_workshop()
    handler.fulfil(make_line(workshop))
    registration = Registration.objects.get()
    for url in (
        reverse("admin:workshops_workshop_changelist") + "?q=bread",
        reverse("admin:workshops_workshop_change", args=[workshop.pk]),
        reverse("admin:workshops_registration_changelist") + f"?q={registration.code}",
        reverse("admin:workshops_registration_change", args=[registration.pk]),
    ):
        assert staff.get(url).status_code == 200, url


def test_a_change_by_staff_reaches_the_catalogue(staff):
    workshop = make_workshop()
    url = reverse("admin:workshops_workshop_change", args=[workshop.pk])
    response = staff.post(url, sent_for(workshop, title="Sourdough", **{"prices-0-amount_minor": "5000"}))
    assert response.status_code == 302, response.context["errors"]
    listing = Listing.objects.get()
    assert listing.title == "Sourdough"
    assert listing.prices.get().amount_minor == 5000


def test_staff_are_told_of_a_price_no_card_can_be_charged(staff):
    workshop = make_workshop()
    url = reverse("admin:workshops_workshop_change", args=[workshop.pk])
    response = staff.post(url, sent_for(workshop, **{"prices-0-amount_minor": "29"}))
    assert "The least that can be paid by card is £0.30." in response.content.decode()
    for nonsense in ({"prices-0-currency": "XXY"}, {"prices-0-amount_minor": ""}, {"prices-0-currency": ""}):
        assert staff.post(url, sent_for(workshop, **nonsense)).status_code == 200


def test_staff_cannot_cut_the_capacity_below_taken_places_either(staff):
    workshop = make_workshop(capacity=10)
    handler.fulfil(make_line(workshop, quantity=6))
    url = reverse("admin:workshops_workshop_change", args=[workshop.pk])
    response = staff.post(url, sent_for(workshop, capacity=5))
    assert response.status_code == 200
    assert "6 places are taken already" in response.content.decode()
    assert Workshop.objects.get().capacity == 10


def test_the_actions_put_on_and_off_sale(staff):
    workshop = make_workshop()
    url = reverse("admin:workshops_workshop_changelist")
    for action, state in (("withdraw_chosen", "withdrawn"), ("publish_chosen", "published")):
        staff.post(url, {"action": action, "_selected_action": [workshop.pk]})
        assert Workshop.objects.get().state == state
        assert Listing.objects.exists() is (state == "published")


def test_registrations_cannot_be_edited_or_deleted_by_hand(staff):
    handler.fulfil(make_line(make_workshop()))
    registration = Registration.objects.get()
    url = reverse("admin:workshops_registration_change", args=[registration.pk])
    assert staff.post(url, {"seat": "3"}).status_code == 403
    assert staff.post(reverse("admin:workshops_registration_delete", args=[registration.pk])).status_code == 403
    assert staff.get(reverse("admin:workshops_registration_add")).status_code == 403
