"""Acts that cannot simply be undone are asked about first, without JavaScript, and every page of the desk has its tabs."""

import pytest
from django.http import HttpResponseRedirect

from courses.models import QuizQuestion
from tests.market import open_market, open_market_with_gift, open_order, signed_in
from tests.test_every_address import OWN_DESK, TEACHERS, address_of

pytestmark = pytest.mark.django_db

ACTS = {
    "workshops:withdraw": lambda market: market.workshop.state,
    "courses:course_withdraw": lambda market: market.course.state,
    "courses:question_delete": lambda market: QuizQuestion.objects.count(),
    "bookings:offer_withdraw": lambda market: market.offer.is_published,
    "bookings:proposal_withdraw": lambda market: market.proposed.state,
    "bookings:request_withdraw": lambda market: market.open_request.state,
}


def state_of(name, market):
    for row in (market.workshop, market.course, market.offer, market.proposed, market.open_request):
        row.refresh_from_db()
    return ACTS[name](market)


@pytest.mark.parametrize("name", ACTS)
def test_an_act_is_asked_about_before_it_happens(name):
    market = open_market_with_gift()
    market.student.cart.lines.all().delete()
    market.proposed.__class__.objects.filter(pk=market.proposed.pk).update(
        state="proposed", held_until=None, order_line_id=None
    )
    client = signed_in(market.student if name == "bookings:request_withdraw" else market.teacher.user)
    address, before = address_of(name, market), state_of(name, market)
    asked = client.get(address)
    assert asked.status_code == 200
    assert "?</h1>" in asked.content.decode()
    assert '<form class="form-actions" method="post">' in asked.content.decode()
    assert state_of(name, market) == before
    assert isinstance(client.post(address), HttpResponseRedirect)
    assert state_of(name, market) != before


def test_an_unpaid_order_is_asked_about_before_it_is_cancelled():
    market = open_market()
    order = open_order(market.student).order
    asked = signed_in(market.student).get(f"/my/orders/{order.number}/cancel/").content.decode()
    assert f"Cancel order {order.number}?" in asked
    order.refresh_from_db()
    assert order.state == "awaiting_payment"


def test_every_page_of_the_desk_has_its_tabs(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path
    market = open_market_with_gift()
    client = signed_in(market.teacher.user)
    without = []
    for name in [*OWN_DESK, *TEACHERS]:
        response = client.get(address_of(name, market))
        is_page = response.status_code == 200 and response.headers["Content-Type"].startswith("text/html")
        if is_page and 'aria-label="Teaching"' not in response.content.decode():
            without.append(name)
    assert without == []
