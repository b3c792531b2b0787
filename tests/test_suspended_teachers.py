"""Nothing of a suspended teacher is offered or sold, by any route; what was sold before stays valid."""

import pytest

from accounts.applications import approve_teacher, suspend_teacher
from accounts.tests.factories import UserFactory
from catalogue.models import Listing
from notifications.models import Mail
from payments import checkout
from payments.models import Order
from payments.pricing import price_cart
from tests.filled_forms import Visitor
from tests.market import fill_cart, open_market, signed_in
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db


@pytest.fixture
def market(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path
    return open_market()


def suspend(market):
    suspend_teacher(teacher=market.teacher, by=UserFactory(is_staff=True))


def titles_shown(path):
    """Which of the market's titles a page shows."""
    page = signed_in(UserFactory()).get(path).content.decode()
    return {listing.title for listing in Listing.objects.all() if listing.title in page}


@pytest.mark.parametrize("path", ["/", "/browse/"])
def test_the_catalogue_shows_nothing_of_theirs_until_they_teach_again(market, path):
    before = titles_shown(path)
    assert len(before) == 3
    suspend(market)
    assert titles_shown(path) == set()
    approve_teacher(teacher=market.teacher, by=UserFactory(is_staff=True))
    assert titles_shown(path) == before


def test_every_page_of_an_offer_and_the_teachers_own_are_gone(market):
    stranger = signed_in(UserFactory())
    pages = [*Listing.objects.values_list("url", flat=True), market.teacher.get_absolute_url()]
    assert {stranger.get(path).status_code for path in pages} == {200}
    suspend(market)
    assert {stranger.get(path).status_code for path in pages} == {404}


def test_nothing_of_theirs_gets_into_a_cart(market):
    suspend(market)
    buyer = UserFactory()
    fill_cart(signed_in(buyer), market)
    assert not hasattr(buyer, "cart") or not buyer.cart.lines.exists()


def test_what_was_in_a_cart_before_cannot_be_paid(market):
    suspend(market)
    cart = market.student.cart
    assert cart.lines.count() == 1
    priced = price_cart(cart)
    assert not priced.is_buyable
    orders = Order.objects.count()
    with pytest.raises(checkout.CartChanged):
        checkout.start_checkout(user=market.student, cart=cart, agreed_digest=priced.digest)
    assert Order.objects.count() == orders


def test_what_was_sold_before_stays_with_its_student(market):
    suspend(market)
    student = signed_in(market.student)
    for path in (f"/my/orders/{market.order.number}/", f"/my/courses/{market.course.slug}/"):
        assert student.get(path).status_code == 200


def test_the_teacher_still_teaches_what_was_sold(market):
    suspend(market)
    teacher = signed_in(market.teacher.user)
    slug, ticket = market.workshop.slug, market.ticket
    said = teacher.get(f"/teach/workshops/{slug}/participants/").content.decode()
    assert ticket.participant_name in said
    for path in (f"/teach/tickets/{ticket.code}/", "/teach/", "/teach/earnings/", f"/teach/workshops/{slug}/cancel/"):
        assert teacher.get(path).status_code == 200, path
    desk = teacher.get("/teach/workshops/").content.decode()
    assert f"/teach/workshops/{slug}/participants/" in desk
    assert not [word for word in ("Plan a workshop", "Withdraw", "Publish") if word in desk]
    lessons = teacher.get("/teach/lessons/").content.decode()
    assert market.lesson.get_absolute_url() in lessons
    assert "Requests to answer" not in lessons
    link = {"meeting_url": "https://meet.example/new"}
    assert teacher.post(f"/teach/lessons/{market.lesson.pk}/meeting/", link).status_code == 302
    market.lesson.refresh_from_db()
    assert market.lesson.meeting_url == link["meeting_url"]


def test_the_teacher_may_change_link_and_times_of_what_was_sold_and_sell_nothing(market):
    unsold = make_workshop(teacher=market.teacher, is_published=False)
    suspend(market)
    teacher = Visitor()
    teacher.force_login(market.teacher.user)
    sold = f"/teach/workshops/{market.workshop.slug}/"
    assert teacher.fill_in(sold, "sessions-0-day", address="2 Mill Lane", cover=None).status_code == 302
    market.workshop.refresh_from_db()
    assert market.workshop.address == "2 Mill Lane"
    assert Mail.objects.filter(to=market.student.email, template="workshops/mail/workshop_moved").exists()
    for path in (f"/teach/workshops/{unsold.slug}/", "/teach/workshops/new/", "/teach/payouts/", "/teach/courses/"):
        assert teacher.get(path).status_code == 403, path
    for path in (sold, f"{sold}publish/", f"{sold}withdraw/", f"/teach/workshops/{unsold.slug}/publish/"):
        assert teacher.post(path, {"publish": "1"}).status_code == 403, path


def test_the_page_about_the_suspension_leads_to_what_is_still_taught(market):
    suspend(market)
    said = signed_in(market.teacher.user).get("/teach/profile/").content.decode()
    for path in ("/teach/workshops/", "/teach/lessons/", "/teach/", "/teach/earnings/"):
        assert f'href="{path}"' in said
