"""A workshop is in the catalogue exactly as long as its page and the cart sell it."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from accounts.applications import suspend_teacher
from accounts.tests.factories import UserFactory
from catalogue.models import Listing
from money import Money
from payments import checkout
from payments.contracts import Item, NotForSale
from payments.models import CartLine
from payments.pricing import price_cart
from workshops.cancelling import cancel_workshop
from workshops.handler import MOST_PLACES_PER_LINE, WorkshopHandler
from workshops.models import Workshop
from workshops.publishing import PricePlan, SessionPlan, publish_workshop, save_workshop, withdraw_workshop
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def weekly(first, number=12):
    start = (timezone.now() + first).replace(microsecond=0)
    times = [start + timedelta(weeks=week) for week in range(number)]
    return [SessionPlan(starts_at=at, ends_at=at + timedelta(hours=2)) for at in times]


def running_with_open_registration():
    return make_workshop(sessions=weekly(-8 * DAY), registration_closes_at=timezone.now() + 14 * DAY)


def running_with_closed_registration():
    return make_workshop(sessions=weekly(-8 * DAY), registration_closes_at=timezone.now() - DAY)


def running_without_a_closing_time():
    return make_workshop(sessions=weekly(-8 * DAY))


def closed_before_it_starts():
    return make_workshop(registration_closes_at=timezone.now() - DAY)


def over_although_registration_never_closed():
    workshop = make_workshop(registration_closes_at=timezone.now() + 90 * DAY)
    past = timezone.now() - 2 * DAY
    save_workshop(
        workshop=make_unpublished(workshop),
        sessions=[SessionPlan(starts_at=past, ends_at=past + timedelta(hours=1))],
        prices=[PricePlan(amount=Money(4500, "GBP"))],
    )
    return workshop


def make_unpublished(workshop):
    withdraw_workshop(workshop=workshop)
    return workshop


def withdrawn():
    return make_unpublished(make_workshop())


def published_again():
    workshop = withdrawn()
    publish_workshop(workshop=workshop)
    return workshop


def cancelled():
    workshop = make_workshop()
    cancel_workshop(workshop=workshop, reason="Ill.", requested_by_id=workshop.teacher.user_id)
    return workshop


def of_a_suspended_teacher():
    workshop = make_workshop()
    suspend_teacher(teacher=workshop.teacher, by=UserFactory(is_staff=True))
    return workshop


STATES = {
    make_workshop: True,
    running_with_open_registration: True,
    published_again: True,
    running_with_closed_registration: False,
    running_without_a_closing_time: False,
    closed_before_it_starts: False,
    over_although_registration_never_closed: False,
    withdrawn: False,
    cancelled: False,
    of_a_suspended_teacher: False,
}


def is_quoted(workshop):
    (quote,) = WorkshopHandler().quote([Item(domain="workshops", reference=str(workshop.pk))], None)
    return not isinstance(quote, NotForSale)


@pytest.mark.parametrize(("make", "is_on_sale"), STATES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_lists_pages_cart_and_checkout_agree(client, make, is_on_sale):
    workshop = make()
    workshop = Workshop.objects.select_related("teacher__user").get(pk=workshop.pk)
    add = reverse("workshops:add_to_cart", args=[workshop.slug])
    assert is_quoted(workshop) == is_on_sale
    for path in ("/", "/browse/", "/browse/?q=bread", workshop.teacher.get_absolute_url()):
        assert (workshop.get_absolute_url() in client.get(path).content.decode()) == is_on_sale, path
    assert (f'action="{add}"' in client.get(workshop.get_absolute_url()).content.decode()) == is_on_sale
    buyer = UserFactory()
    client.force_login(buyer)
    client.post(add, {"quantity": "1"})
    assert CartLine.objects.filter(cart__user=buyer).exists() == is_on_sale


@pytest.mark.parametrize(
    "change", [withdraw_workshop, lambda workshop: Workshop.objects.filter(pk=workshop.pk).update(
        registration_closes_at=timezone.now() - DAY
    )]
)  # fmt: skip
def test_what_went_off_sale_in_the_cart_cannot_be_paid(client, change):
    workshop = make_workshop()
    buyer = UserFactory()
    client.force_login(buyer)
    client.post(reverse("workshops:add_to_cart", args=[workshop.slug]), {"quantity": "1"})
    change(workshop=workshop)
    priced = price_cart(buyer.cart)
    assert not priced.is_buyable
    with pytest.raises(checkout.CartChanged):
        checkout.start_checkout(user=buyer, cart=buyer.cart, agreed_digest=priced.digest)


def test_a_running_workshop_says_so(client):
    running_with_open_registration()
    assert "Running since" in client.get("/browse/").content.decode()


def test_its_cover_is_on_its_card_until_it_is_removed(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    workshop = make_workshop()
    workshop.cover.save("any.png", ContentFile(b"x"), save=True)
    publish_workshop(workshop=workshop)
    for path in ("/", "/browse/", workshop.teacher.get_absolute_url()):
        assert f'<img src="{workshop.cover.url}"' in client.get(path).content.decode(), path
    workshop.cover = ""
    save_workshop(workshop=workshop, sessions=weekly(DAY, 1), prices=[PricePlan(amount=Money(4500, "GBP"))])
    assert Listing.objects.get().cover_url == ""


def test_cards_filters_and_sorting_use_the_price_that_is_charged_now(client):
    until = timezone.now() + 5 * DAY
    early = PricePlan(amount=Money(8500, "GBP"), early_bird=Money(7200, "GBP"), early_bird_until=until)
    make_workshop(title="Early", prices=[early])
    make_workshop(title="Middle", prices=[PricePlan(amount=Money(7600, "GBP"))])
    found = client.get("/browse/", {"min_price": "70", "max_price": "75"})
    assert [listing.title for listing in found.context["page"]] == ["Early"]
    assert "£72.00" in found.content.decode()
    assert "£85.00" not in found.content.decode()
    cheapest = client.get("/browse/", {"sort": "cheapest"}).context["page"]
    assert [listing.title for listing in cheapest] == ["Early", "Middle"]


@pytest.fixture
def cart_of_three(client):
    workshop = make_workshop(prices=[PricePlan(amount=Money(4500, "GBP"))], capacity=500)
    buyer = UserFactory()
    client.force_login(buyer)
    client.post(reverse("workshops:add_to_cart", args=[workshop.slug]), {"quantity": "3"})
    return workshop, buyer.cart


def test_the_former_price_in_the_cart_is_of_as_many_places_as_the_present_one(client, cart_of_three):
    workshop, cart = cart_of_three
    workshop.prices.update(amount_minor=5000)
    (line,) = price_cart(cart).lines
    assert (line.seen_amount, line.amount) == (Money(13500, "GBP"), Money(15000, "GBP"))
    page = client.get(reverse("payments:cart")).content.decode()
    assert "£135.00</s>" in page
    assert "£45.00</s>" not in page


def test_more_than_one_line_may_have_is_not_called_the_number_left(cart_of_three):
    _, cart = cart_of_three
    cart.lines.update(quantity=MOST_PLACES_PER_LINE + 2)
    (line,) = price_cart(cart).lines
    assert line.problem == f"At most {MOST_PLACES_PER_LINE} can be bought."
