"""Create, change, publish and withdraw workshops, with the updates of the catalogue and mails to registered people."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalogue.models import Listing
from money import Money
from notifications.models import Mail
from workshops.handler import WorkshopHandler
from workshops.models import Registration, Workshop
from workshops.publishing import (
    CapacityBelowTaken,
    NotReadyToPublish,
    PricePlan,
    SessionPlan,
    free_slug,
    publish_workshop,
    save_workshop,
    withdraw_workshop,
)
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()


def listing_of(workshop):
    return Listing.objects.filter(domain="workshops", reference=str(workshop.pk)).first()


def plans_of(workshop):
    sessions = [SessionPlan(starts_at=one.starts_at, ends_at=one.ends_at) for one in workshop.sessions.all()]
    prices = [PricePlan(amount=price.amount) for price in workshop.prices.all()]
    return {"sessions": sessions, "prices": prices}


def test_only_a_published_workshop_is_in_the_catalogue():
    workshop = make_workshop(is_published=False)
    assert listing_of(workshop) is None
    publish_workshop(workshop=workshop)
    listing = listing_of(workshop)
    assert listing.title == workshop.title
    assert listing.starts_at == workshop.sessions.get().starts_at
    assert [price.amount for price in listing.prices.all()] == [Money(4500, "GBP")]
    withdraw_workshop(workshop=workshop)
    assert listing_of(workshop) is None
    publish_workshop(workshop=workshop)
    assert listing_of(workshop)


def test_a_change_updates_the_catalogue():
    workshop = make_workshop()
    workshop.title = "Sourdough"
    save_workshop(
        workshop=workshop, sessions=plans_of(workshop)["sessions"], prices=[PricePlan(amount=Money(99, "JPY"))]
    )
    listing = listing_of(workshop)
    assert listing.title == "Sourdough"
    assert [price.amount for price in listing.prices.all()] == [Money(99, "JPY")]


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ({"sessions": []}, "session"),
        ({"prices": []}, "price"),
        ({"place": ""}, "where"),
        ({"starts_in": timedelta(days=-3)}, "over"),
    ],
)
def test_an_incomplete_workshop_is_not_published(missing, message):
    workshop = make_workshop(is_published=False, **missing)
    with pytest.raises(NotReadyToPublish, match=message):
        publish_workshop(workshop=workshop)
    assert Workshop.objects.get().state == "draft"
    assert listing_of(workshop) is None


def test_a_published_workshop_cannot_lose_its_sessions_or_prices():
    workshop = make_workshop()
    with pytest.raises(NotReadyToPublish):
        save_workshop(workshop=workshop, sessions=[], prices=plans_of(workshop)["prices"])
    assert workshop.sessions.count() == 1


def test_the_capacity_can_be_reduced_to_but_not_below_the_taken_places():
    workshop = make_workshop(capacity=10)
    lines = [make_line(workshop, quantity=2) for _ in range(4)]
    for line in lines:
        handler.fulfil(line)
    handler.revoke(lines[0], lines[0].quantity, "refund")
    assert max(Registration.objects.live().values_list("seat", flat=True)) == 8
    workshop.capacity = 5
    with pytest.raises(CapacityBelowTaken, match="6 places are already taken"):
        save_workshop(workshop=workshop, **plans_of(workshop))
    workshop.capacity = 6
    save_workshop(workshop=workshop, **plans_of(workshop))
    assert sorted(Registration.objects.live().values_list("seat", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert listing_of(workshop).is_sold_out
    workshop.capacity = 7
    save_workshop(workshop=workshop, **plans_of(workshop))
    assert not listing_of(workshop).is_sold_out


def test_lapsed_holds_do_not_limit_the_capacity():
    workshop = make_workshop(capacity=10)
    handler.reserve(make_line(workshop, quantity=8), timezone.now() - timedelta(seconds=1))
    workshop.capacity = 1
    save_workshop(workshop=workshop, **plans_of(workshop))
    assert Workshop.objects.get().capacity == 1


def test_saving_a_form_opened_before_publishing_keeps_published_and_sold_out():
    workshop = make_workshop(is_published=False, capacity=1)
    stale = Workshop.objects.get()
    publish_workshop(workshop=workshop)
    handler.reserve(make_line(workshop), in_half_an_hour())
    save_workshop(workshop=stale, **plans_of(workshop))
    stored = Workshop.objects.get()
    assert stored.state == "published"
    assert stored.is_sold_out
    assert listing_of(workshop).is_sold_out


def test_registered_people_get_one_mail_each_about_a_new_time_and_none_about_other_changes():
    workshop = make_workshop()
    line = make_line(workshop, quantity=3, participants=[{"name": "Ann", "email": "ann@example.org"}])
    handler.fulfil(line)
    handler.reserve(make_line(workshop), in_half_an_hour())
    Mail.objects.all().delete()
    workshop.description = "New words"
    save_workshop(workshop=workshop, **plans_of(workshop))
    assert not Mail.objects.exists()
    plans = plans_of(workshop)
    moved = [
        SessionPlan(starts_at=one.starts_at, ends_at=one.ends_at + timedelta(hours=1)) for one in plans["sessions"]
    ]
    save_workshop(workshop=workshop, sessions=moved, prices=plans["prices"])
    recipients = Mail.objects.filter(template="workshops/mail/workshop_moved").values_list("to", flat=True)
    buyer = Registration.objects.filter(order_line_id=line.id).first().buyer
    assert sorted(recipients) == sorted([buyer.email, "ann@example.org"])


def test_sessions_that_keep_their_start_keep_their_rows():
    workshop = make_workshop()
    first = workshop.sessions.get()
    plans = plans_of(workshop)["sessions"]
    later = SessionPlan(starts_at=plans[0].starts_at + timedelta(days=7), ends_at=plans[0].ends_at + timedelta(days=7))
    save_workshop(workshop=workshop, sessions=[later, *plans], prices=plans_of(workshop)["prices"])
    assert workshop.sessions.count() == 2
    assert workshop.sessions.first() == first


@pytest.mark.parametrize(
    ("title", "slug"),
    [("Straßenmusik in Łódź", "strassenmusik-in-lodz-"), ("日本語入門", "workshop-"), ("Æther’s", "aethers-")],
)
def test_the_address_keeps_letters_that_ascii_lacks(title, slug):
    assert free_slug(title).startswith(slug)
