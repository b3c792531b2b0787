"""Every form that starts or changes a purchase, posted with values that the page would never send."""

import json

import pytest
from django.test import Client

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.tests import factories as lessons
from courses.tests.factories import published_course
from money import Money
from payments.models import CartLine, Order
from payments.pricing import price_cart
from tests.market import fill_cart, open_market, signed_in
from workshops.publishing import PricePlan
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db
# Fields that a page never posts: a price, a currency, an owner, a state, in every spelling the code uses.
MADE_UP = {
    "amount": "1", "amount_minor": "1", "price": "0.01", "unit_price": "1", "unit_amount_minor": "1",
    "seen_unit_minor": "1", "total": "1", "total_minor": "1", "discount_minor": "999999", "currency": "JPY",
    "user": "1", "user_id": "1", "buyer_id": "1", "student": "1", "teacher_id": "1", "cart": "1", "cart_id": "1",
    "order": "1", "state": "completed", "status": "paid", "paid_at": "2026-01-01", "commission_bps": "0",
    "policy": '{"full_refund_hours": 0}', "platform_fee_minor": "0", "quantity_limit": "99", "domain": "courses",
}  # fmt: skip


@pytest.fixture
def shop():
    """A lesson, a workshop and a course for one student, and an empty cart."""

    class Shop:
        student = UserFactory()
        lesson = lessons.proposed_lesson(student=student)
        workshop = make_workshop(prices=[PricePlan(amount=Money(4500, "GBP"))])
        course = published_course(prices=(Money(4900, "GBP"),))

    return Shop


def addresses_that_fill_a_cart(shop):
    return {
        f"/my/lessons/requests/{shop.lesson.request_id}/buy/": {"lesson": shop.lesson.pk},
        f"/workshops/{shop.workshop.slug}/add/": {"quantity": "2"},
        f"/workshops/{shop.workshop.slug}/register/": {"quantity": "2"},
        f"/courses/{shop.course.slug}/cart/": {},
    }


def test_prices_owners_and_states_that_are_posted_along_change_nothing(shop):
    client = signed_in(shop.student)
    for address, honest in addresses_that_fill_a_cart(shop).items():
        client.post(address, MADE_UP | honest)
    client.post("/cart/add/", MADE_UP | {"domain": "courses", "reference": shop.course.pk})
    cart = shop.student.cart
    client.post(f"/cart/lines/{cart.lines.get(domain='workshops').pk}/", MADE_UP | {"quantity": "3"})
    priced = price_cart(cart)
    amounts = {line.line.domain: line.amount for line in priced.lines}
    expected = {
        "private_teaching": lessons.FORTY_POUNDS,
        "workshops": Money(3 * 4500, "GBP"),
        "courses": Money(4900, "GBP"),
    }
    assert amounts == expected
    assert (cart.currency, cart.user) == ("GBP", shop.student)
    assert not Order.objects.exists()


WRONG_IDS = ["0", "-1", "1e3", "9" * 40, "' OR 1=1 --", "１", "1.0", "../1", "1\x00", "null", "[]", ""]


@pytest.mark.parametrize("wrong", WRONG_IDS)
@pytest.mark.parametrize("domain", ["private_teaching", "workshops", "courses"])
def test_an_id_of_nothing_puts_nothing_into_the_cart(domain, wrong):
    response = signed_in(UserFactory()).post("/cart/add/", {"domain": domain, "reference": wrong})
    assert response.status_code in (302, 400)
    assert not CartLine.objects.exists()


@pytest.mark.parametrize("spelling", ["0{}", "00{}", "+{}", " {}", "{} ", "{}.0", "{}_0", "1_{}"])
def test_one_thing_is_one_line_however_its_reference_is_spelled(shop, spelling):
    client = signed_in(shop.student)
    for domain, sold in (("private_teaching", shop.lesson), ("workshops", shop.workshop), ("courses", shop.course)):
        for reference in (str(sold.pk), spelling.format(sold.pk)):
            client.post("/cart/add/", {"domain": domain, "reference": reference})
        assert [line.reference for line in CartLine.objects.filter(domain=domain)] == [str(sold.pk)]


@pytest.mark.parametrize("person", ["another student", "the teacher", "guest"])
def test_a_lesson_proposed_to_another_student_goes_into_no_cart(shop, person):
    user = {"another student": UserFactory(), "the teacher": shop.lesson.teacher.user, "guest": None}[person]
    client = signed_in(user) if user else Client()
    client.post("/cart/add/", {"domain": "private_teaching", "reference": shop.lesson.pk})
    client.post(f"/my/lessons/requests/{shop.lesson.request_id}/buy/", {"lesson": shop.lesson.pk})
    assert not CartLine.objects.exists()


def test_a_lesson_of_another_request_cannot_be_slipped_into_ones_own(shop):
    mine = lessons.proposed_lesson()
    client = signed_in(mine.student)
    client.post(f"/my/lessons/requests/{mine.request_id}/buy/", {"lesson": [shop.lesson.pk]})
    assert not CartLine.objects.exists()


@pytest.mark.parametrize("quantity", ["0", "-1", "101", "1000000", "1.5", "1e1", "0x2", "２", "NaN", "\x00", "2;3"])
def test_an_impossible_quantity_is_in_no_cart_and_no_order(shop, quantity):
    client = signed_in(shop.student)
    for address, honest in addresses_that_fill_a_cart(shop).items():
        if "quantity" in honest:
            client.post(address, {"quantity": quantity})
    client.post("/cart/add/", {"domain": "workshops", "reference": shop.workshop.pk, "quantity": quantity})
    # Digits of other scripts are digits: two places were requested.
    assert set(CartLine.objects.values_list("quantity", flat=True)) <= ({2} if quantity == "２" else set())


@pytest.mark.parametrize("domain", ["private_teaching", "courses"])
def test_what_one_has_once_cannot_be_had_twice_by_changing_the_line(shop, domain):
    client = signed_in(shop.student)
    for address, honest in addresses_that_fill_a_cart(shop).items():
        client.post(address, honest)
    cart = shop.student.cart
    client.post(f"/cart/lines/{cart.lines.get(domain=domain).pk}/", {"quantity": "5"})
    priced = price_cart(cart)
    assert not priced.is_buyable
    assert client.post("/checkout/", {"agreed": priced.digest}).url == "/cart/"
    assert not Order.objects.exists()


@pytest.mark.parametrize("domain", ["private_teaching", "workshops", "courses"])
def test_details_that_were_made_up_do_not_reach_the_price(shop, domain):
    reference = {"private_teaching": shop.lesson, "workshops": shop.workshop, "courses": shop.course}[domain].pk
    client = signed_in(shop.student)
    client.post("/cart/add/", {"domain": domain, "reference": reference})
    honest = price_cart(shop.student.cart).total
    client.post("/cart/add/", {"domain": domain, "reference": reference, "details": json.dumps(MADE_UP)})
    assert price_cart(shop.student.cart).total == honest


def test_the_agreement_to_another_cart_starts_no_purchase(shop):
    """The digest is no secret, so another person's must be worthless here."""
    cheap = published_course(prices=(Money(100, "GBP"),))
    other, client = signed_in(UserFactory()), signed_in(shop.student)
    other.post(f"/courses/{cheap.slug}/cart/")
    client.post(f"/courses/{shop.course.slug}/cart/")
    agreed = price_cart(CartLine.objects.get(reference=str(cheap.pk)).cart).digest
    assert client.post("/checkout/", {"agreed": agreed}).url == "/cart/"
    assert not Order.objects.exists()


def test_other_people_neither_cancel_nor_change_a_payment(market_of_two):
    market, thief = market_of_two
    number, line = market.order.number, market.cart_line
    for address, posted in (
        (f"/my/orders/{number}/cancel/", {}),
        (f"/cart/lines/{line.pk}/", {"quantity": "0"}),
        (f"/cart/lines/{line.pk}/", {"quantity": "9"}),
        (f"/my/lessons/requests/{market.open_request.pk}/withdraw/", {}),
    ):
        assert thief.post(address, posted | {"user": market.student.pk, "order": number}).status_code == 404
    market.order.refresh_from_db()
    line.refresh_from_db()
    assert (market.order.state, line.quantity) == ("completed", 1)


@pytest.fixture
def market_of_two():
    market = open_market()
    thief = signed_in(TeacherFactory().user)
    fill_cart(thief, market)
    return market, thief
