"""The least amount a card can be charged is a price like any other, in every domain and every form."""

import pytest
from django.core.exceptions import ValidationError

from accounts.tests.factories import UserFactory
from bookings.tests import factories as lessons
from courses.tests.factories import published_course
from money import Money
from money.models import Price
from payments.settlement import settle_payment
from payments.tests.factories import evidence_for
from tests.market import open_order, signed_in
from workshops.publishing import PricePlan
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db


def put_lesson_into_cart(client, student, price):
    lesson = lessons.proposed_lesson(student=student, price=price)
    client.post(f"/my/lessons/requests/{lesson.request_id}/buy/", {"lesson": lesson.pk})


def put_workshop_into_cart(client, student, price):
    workshop = make_workshop(prices=[PricePlan(amount=price)])
    client.post(f"/workshops/{workshop.slug}/add/", {"quantity": 1})


def put_course_into_cart(client, student, price):
    client.post(f"/courses/{published_course(prices=(price,)).slug}/cart/")


@pytest.mark.parametrize("put_into_cart", [put_lesson_into_cart, put_workshop_into_cart, put_course_into_cart])
@pytest.mark.parametrize("price", [Money(50, "GBP"), Money(30, "GBP"), Money(50, "JPY")])
def test_pence_buy_something_in_each_domain(put_into_cart, price):
    student = UserFactory()
    put_into_cart(signed_in(student), student, price)
    order, _ = settle_payment(evidence_for(open_order(student)))
    assert order.total == price
    assert [line.state for line in order.lines.all()] == ["fulfilled"]


@pytest.mark.parametrize("model", Price.__subclasses__())
@pytest.mark.parametrize(
    ("minor", "currency", "problem"),
    [
        (29, "GBP", "The least that can be paid by card is £0.30."),
        (100_000_000, "GBP", "The most that can be paid by card at once is £999,999.99."),
        (5124, "KWD", "in steps of"),
        (500, "XXY", "Give the three capital letters"),
        (500, "gbp", "Give the three capital letters"),
        (None, "GBP", "This field cannot be null."),
    ],
)
def test_staff_who_type_a_wrong_price_see_what_is_wrong(model, minor, currency, problem):
    sold = next(field.name for field in model._meta.fields if field.is_relation)
    with pytest.raises(ValidationError) as refusal:
        model(amount_minor=minor, currency=currency).full_clean(exclude=[sold])
    assert problem in str(refusal.value)
