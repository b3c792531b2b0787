"""Pages for visitors and students, and who may open them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from money import Money
from payments.models import CartLine
from payments.pricing import price_cart
from workshops.handler import WorkshopHandler
from workshops.models import Registration
from workshops.publishing import PricePlan, SessionPlan, withdraw_workshop
from workshops.tests.factories import in_half_an_hour, make_line, make_workshop

pytestmark = pytest.mark.django_db
handler = WorkshopHandler()


def page(client, workshop, **kwargs):
    response = client.get(workshop.get_absolute_url(), **kwargs)
    assert response.status_code == 200
    return response.content.decode()


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def bought(workshop, **kwargs):
    line = make_line(workshop, **kwargs)
    handler.fulfil(line)
    return line


# --- In the cart ---------------------------------------------------------------------------------------------------
def test_places_in_the_cart_are_changed_on_the_page_and_not_added_twice(client):
    workshop = make_workshop()
    add = reverse("workshops:add_to_cart", args=[workshop.slug])
    client.post(add, {"quantity": 3})
    html = page(client, workshop)
    assert "3 places in your cart." in html
    assert '<option value="3" selected>3</option>' in html
    assert "Update cart" in html
    assert "Add to cart" not in html
    client.post(add, {"quantity": 2})
    assert CartLine.objects.get().quantity == 2


def test_the_cart_shows_the_price_of_one_place_the_teacher_and_the_refund_terms(client):
    workshop = make_workshop()
    client.post(reverse("workshops:add_to_cart", args=[workshop.slug]), {"quantity": 3})
    html = client.get(reverse("payments:cart")).content.decode()
    assert "3 × £45.00" in html
    assert f'With <span dir="auto">{workshop.teacher.display_name}</span>' in html
    assert "none after that." in html


# --- The workshop's page -------------------------------------------------------------------------------------------
def test_a_published_workshop_is_public_with_price_and_places(client):
    until = timezone.now() + timedelta(days=3)
    prices = [
        PricePlan(amount=Money(4500, "GBP"), early_bird=Money(4000, "GBP"), early_bird_until=until),
        PricePlan(amount=Money(8400, "JPY")),
    ]
    workshop = make_workshop(prices=prices, description="Bring **flour** <script>alert(1)</script>")
    html = page(client, workshop)
    assert "£40.00" in html
    assert "£45.00" in html
    assert "8,400" not in html
    assert "8,400" in page(Client(headers={"Accept-Language": "ja"}), workshop)
    assert "20 places left" in html
    assert "<strong>flour</strong>" in html
    assert "<script>alert" not in html


def test_the_page_shows_few_places_left_and_sold_out(client):
    workshop = make_workshop(capacity=3)
    assert "Only 3 left" in page(client, workshop)
    handler.reserve(make_line(workshop, quantity=3), in_half_an_hour())
    html = page(client, workshop)
    assert "Sold out" in html
    assert "Add to cart" not in html


def test_the_page_shows_closed_registration_instead_of_the_form(client):
    workshop = make_workshop(registration_closes_at=timezone.now() - timedelta(hours=1))
    html = page(client, workshop)
    assert "is closed" in html
    assert "Add to cart" not in html


def test_sessions_are_shown_in_the_zone_of_their_place_and_online_in_the_readers():
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC)):
        session = SessionPlan(
            starts_at=datetime(2026, 12, 12, 10, tzinfo=UTC), ends_at=datetime(2026, 12, 12, 16, tzinfo=UTC)
        )
        workshop = make_workshop(sessions=[session])
        html = page(signed_in(UserFactory(time_zone="Asia/Tokyo")), workshop)
        assert "Sat 12 Dec 2026, 10:00–16:00 GMT" in html
        assert "Sat 12 Dec 2026, 10:00–16:00 GMT" in page(Client(), workshop)
        online = make_workshop(sessions=[session], is_online=True, place="", address="")
        html = page(signed_in(UserFactory(time_zone="Asia/Tokyo")), online)
        assert "Sat 12 Dec 2026, 19:00 – Sun 13 Dec 2026, 01:00 JST" in html


def test_unpublished_workshops_are_visible_only_to_their_teacher_and_people_with_a_place(client):
    workshop = make_workshop()
    buyer = UserFactory()
    bought(workshop, buyer=buyer)
    withdraw_workshop(workshop=workshop)
    url = workshop.get_absolute_url()
    assert client.get(url).status_code == 404
    assert signed_in(UserFactory()).get(url).status_code == 404
    assert signed_in(buyer).get(url).status_code == 200
    assert "Add to cart" not in page(signed_in(workshop.teacher.user), workshop)
    assert client.post(f"{url}add/", {"quantity": "1"}).status_code == 404


def test_the_page_takes_the_same_number_of_queries_for_one_and_ten_sessions(client):
    costs = []
    for how_many in (1, 10):
        starts = [timezone.now() + timedelta(days=day) for day in range(1, how_many + 1)]
        plans = [SessionPlan(starts_at=start, ends_at=start + timedelta(hours=1)) for start in starts]
        workshop = make_workshop(sessions=plans)
        page(client, workshop)
        with CaptureQueriesContext(connection) as queries:
            page(client, workshop)
        costs.append(len(queries))
    assert costs[0] == costs[1]


# --- Into the cart -------------------------------------------------------------------------------------------------
def test_places_are_added_to_the_cart(client):
    workshop = make_workshop()
    response = client.post(f"{workshop.get_absolute_url()}add/", {"quantity": "3"})
    assert response.url == reverse("payments:cart")
    line = CartLine.objects.get()
    assert (line.domain, line.reference, line.quantity) == ("workshops", str(workshop.pk), 3)


THREE_NAMES = {
    "quantity": "3", "place-1-name": "Ann", "place-1-email": "ann@example.org", "place-2-name": "Ben",
    "place-3-name": "Cyd",
}  # fmt: skip


@pytest.fixture
def three_named(client):
    """A workshop with three named places in the visitor's cart."""
    workshop = make_workshop(capacity=10)
    client.post(f"{workshop.get_absolute_url()}register/", THREE_NAMES)
    return workshop


def test_the_cart_names_the_participants(client, three_named):
    html = client.get(reverse("payments:cart")).content.decode()
    assert [who in html for who in ("For Ann (ann@example.org)", "For Ben", "For Cyd")] == [True] * 3
    assert f"{three_named.get_absolute_url()}register/?quantity=3" in html


@pytest.mark.parametrize("way", ["cart", "workshop"])
def test_fewer_places_than_names_lead_to_the_page_for_naming_participants(client, three_named, way):
    """No name is dropped silently, and the cart does not change until the student submits the names."""
    naming = f"{three_named.get_absolute_url()}register/?quantity=2"
    if way == "cart":
        response = client.post(reverse("payments:cart_line", args=[CartLine.objects.get().pk]), {"quantity": "2"})
    else:
        response = client.post(f"{three_named.get_absolute_url()}add/", {"quantity": "2"})
    assert response.url == naming
    assert CartLine.objects.get().quantity == 3
    html = client.get(naming).content.decode()
    assert 'value="Ann"' in html
    assert 'value="Ben"' in html
    assert "1 no longer fits: <bdi>Cyd</bdi>." in " ".join(html.split())
    client.post(f"{three_named.get_absolute_url()}register/", THREE_NAMES | {"quantity": "2"})
    line = CartLine.objects.get()
    assert (line.quantity, [who["name"] for who in line.details["participants"]]) == (2, ["Ann", "Ben"])
    assert price_cart(line.cart).is_buyable


def test_more_places_keep_the_names(client, three_named):
    client.post(f"{three_named.get_absolute_url()}add/", {"quantity": "4"})
    line = CartLine.objects.get()
    assert (line.quantity, len(line.details["participants"])) == (4, 3)


def test_signing_in_keeps_the_names_given_before(client, three_named):
    user = UserFactory()
    client.force_login(user)
    assert len(user.cart.lines.get().details["participants"]) == 3
    guest = Client()
    guest.post(f"{three_named.get_absolute_url()}add/", {"quantity": "4"})
    guest.force_login(user)
    line = user.cart.lines.get()
    assert (line.quantity, len(line.details["participants"])) == (4, 3)


def test_participants_are_named_on_a_separate_page(client):
    workshop = make_workshop()
    response = client.post(f"{workshop.get_absolute_url()}add/", {"quantity": "2", "name_participants": "1"})
    assert response.url == f"{workshop.get_absolute_url()}register/?quantity=2"
    html = client.get(response.url).content.decode()
    assert "Place 2" in html
    assert "Place 3" not in html
    answers = {"quantity": "2", "place-1-name": "Ann", "place-1-email": "ann@example.org", "place-2-name": "Cy"}
    response = client.post(f"{workshop.get_absolute_url()}register/", answers)
    assert response.url == reverse("payments:cart")
    assert CartLine.objects.get().details == {
        "participants": [{"name": "Ann", "email": "ann@example.org"}, {"name": "Cy", "email": ""}]
    }


@pytest.mark.parametrize("quantity", ["", "0", "-1", "101", "x", "1\x00", "9" * 400, "1.5", "１"])
def test_an_invalid_quantity_changes_nothing(client, quantity):
    workshop = make_workshop()
    for path in ("add/", "register/"):
        response = client.post(f"{workshop.get_absolute_url()}{path}", {"quantity": quantity})
        assert response.status_code == 302
        assert response.url == workshop.get_absolute_url()
    assert not CartLine.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"place-1-email": "nowhere"},
        {"place-1-name": "x" * 151},
        {"place-1-name": "An\x00n"},
        {"place-1-name": "An\u202en"},
    ],
)
def test_errors_of_invalid_participants_are_shown(client, fields):
    workshop = make_workshop()
    response = client.post(f"{workshop.get_absolute_url()}register/", {"quantity": "1"} | fields)
    assert response.status_code == 400
    assert not CartLine.objects.exists()


def test_more_places_than_are_left_are_not_added_to_the_cart(client):
    workshop = make_workshop(capacity=2)
    response = client.post(f"{workshop.get_absolute_url()}add/", {"quantity": "3"}, follow=False)
    assert response.url == workshop.get_absolute_url()
    assert not CartLine.objects.exists()


def test_places_are_added_only_by_post_with_a_csrf_token(client):
    workshop = make_workshop()
    assert client.get(f"{workshop.get_absolute_url()}add/").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    for path in ("add/", "register/"):
        assert strict.post(f"{workshop.get_absolute_url()}{path}", {"quantity": "1"}).status_code == 403


# --- Tickets -------------------------------------------------------------------------------------------------------
def test_a_ticket_is_for_its_buyer_only(client):
    workshop = make_workshop(is_online=True, online_url="https://meet.example.org/1", place="")
    buyer = UserFactory()
    bought(workshop, buyer=buyer)
    ticket = Registration.objects.get()
    for url in (ticket.get_absolute_url(), reverse("workshops:calendar", args=[ticket.code])):
        assert signed_in(buyer).get(url).status_code == 200
        assert signed_in(UserFactory()).get(url).status_code == 404
        assert signed_in(workshop.teacher.user).get(url).status_code == 404
        assert client.get(url).status_code == 302
    html = signed_in(buyer).get(ticket.get_absolute_url()).content.decode()
    assert ticket.code in html
    assert "https://meet.example.org/1" in html
    assert "meet.example.org" not in page(client, workshop)


@pytest.mark.parametrize(("where", "shown"), [({"is_online": True, "place": ""}, "JST"), ({}, "Leeds")])
def test_my_workshops_show_times_in_the_zone_of_the_reader_or_the_place(where, shown):
    workshop = make_workshop(**where)
    buyer = UserFactory(time_zone="Asia/Tokyo")
    bought(workshop, buyer=buyer)
    zone = ZoneInfo("Asia/Tokyo") if workshop.is_online else workshop.zone
    starts_at = workshop.sessions.first().starts_at.astimezone(zone)
    html = signed_in(buyer).get(reverse("workshops:mine")).content.decode()
    assert f", {starts_at:%H:%M}" in html
    assert shown in html


def test_a_held_place_is_not_a_ticket():
    buyer = UserFactory()
    handler.reserve(make_line(make_workshop(), buyer=buyer), in_half_an_hour())
    ticket = Registration.objects.get()
    assert signed_in(buyer).get(ticket.get_absolute_url()).status_code == 404
    assert ticket.code not in signed_in(buyer).get(reverse("workshops:mine")).content.decode()


def test_a_revoked_ticket_says_so_and_gives_no_link():
    workshop = make_workshop(is_online=True, online_url="https://meet.example.org/1", place="")
    buyer = UserFactory()
    line = bought(workshop, buyer=buyer)
    handler.revoke(line, line.quantity, "refund")
    html = signed_in(buyer).get(Registration.objects.get().get_absolute_url()).content.decode()
    assert "no longer valid" in html
    assert "meet.example.org" not in html


@pytest.mark.parametrize("code", ["NOSUCHCODE", "a%00b", "x" * 500, "..%2f", "%F0%9F%8E%9F"])
def test_an_unknown_code_is_a_404(code):
    assert signed_in(UserFactory()).get(f"/my/workshops/{code}/").status_code == 404


def test_my_workshops_group_tickets_and_take_the_same_number_of_queries_for_any_number():
    buyer = UserFactory()
    client = signed_in(buyer)
    workshops = [make_workshop() for _ in range(10)]
    costs = []
    for already, how_many in ((0, 1), (1, 10), (10, 100)):
        for number in range(already, how_many):
            line = bought(workshops[number % 10], buyer=buyer)
        client.get(reverse("workshops:mine"))
        with CaptureQueriesContext(connection) as queries:
            html = client.get(reverse("workshops:mine")).content.decode()
        costs.append(len(queries))
    assert html.count("Ticket for") == 100
    assert f'id="line-{line.id}"' in html
    assert handler.delivery_url(line) == f"/my/workshops/#line-{line.id}"
    assert costs[0] == costs[1] == costs[2]
