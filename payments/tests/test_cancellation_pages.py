"""The page on which a student cancels: it shows what comes back first, and does exactly that."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import UserFactory
from payments.models import OrderLine, Refund
from payments.tests.factories import open_order, paid_order
from payments.tests.sample_domain import SAMPLE

pytestmark = pytest.mark.django_db


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


class Bought:
    """A paid line, and its student's browser on the page that cancels it."""

    def __init__(self, *prices, quantity=1):
        payment = paid_order(*(prices or (2500,)), quantity=quantity)
        self.order = payment.order
        self.line = self.order.lines.get()
        self.client = signed_in(self.order.user)
        self.address = f"/my/orders/lines/{self.line.pk}/cancel/"

    def page(self, *places, client=None):
        response = (client or self.client).get(self.address, {"place": places})
        return response, response.content.decode()

    def digest(self, *places):
        return re.search(r'name="digest" value="(\w+)"', self.page(*places)[1])[1]

    def confirm(self, *places, digest, client=None):
        return (client or self.client).post(self.address, {"place": places, "digest": digest})


def test_the_page_shows_every_step_of_the_policy_in_the_readers_zone_and_changes_nothing():
    bought = Bought(2501)
    bought.order.user.time_zone = "Asia/Kathmandu"
    bought.order.user.save()
    response, page = bought.page()
    assert response.status_code == 200
    assert "You get £25.01 back" in page
    assert "£12.51" in page
    assert page.count("UTC+05:45") == 2
    assert not Refund.objects.exists()
    assert SAMPLE.calls["revoke", bought.line.reference] == 0


def test_what_was_confirmed_happens_and_the_order_shows_it():
    bought = Bought()
    SAMPLE.full_until = timezone.now()
    response = bought.confirm("1", digest=bought.digest())
    assert response.headers["Location"] == bought.order.get_absolute_url()
    page = bought.client.get(response.headers["Location"]).content.decode()
    assert "It is cancelled, and £12.50 is on its way back to you." in page
    assert "Cancelled" in page
    assert "£12.50 refunded or being refunded" in page
    assert f"/lines/{bought.line.pk}/cancel/" not in page


def test_a_student_chooses_places_and_sees_what_comes_back_for_them():
    bought = Bought(1000, quantity=3)
    page = bought.page()[1]
    assert page.count('type="checkbox"') == 3
    assert 'name="digest"' not in page
    page = bought.page("1", "3")[1]
    assert page.count(" checked") == 2
    assert "You get £20.00 back" in page
    assert "2 of 3 places: Place 1, Place 3" in page
    bought.confirm("1", "3", digest=bought.digest("1", "3"))
    assert SAMPLE.delivered[bought.line.pk] == ["2"]
    assert "2 of 3 cancelled" in bought.client.get(bought.order.get_absolute_url()).content.decode()


def test_without_a_refund_the_page_says_so():
    bought = Bought()
    SAMPLE.full_until = SAMPLE.half_until = timezone.now() - timedelta(seconds=1)
    page = bought.page()[1]
    assert "You get nothing back" in page
    assert "Cancel without a refund" in page
    bought.confirm("1", digest=bought.digest())
    bought.line.refresh_from_db()
    assert bought.line.state == "revoked"
    assert not Refund.objects.exists()


def test_an_offer_that_ended_in_the_meantime_is_shown_anew():
    bought = Bought()
    digest = bought.digest()
    SAMPLE.full_until = timezone.now() - timedelta(seconds=1)
    response = bought.confirm("1", digest=digest)
    assert response.status_code == 409
    assert "You get £12.50 back" in response.content.decode()
    assert not Refund.objects.exists()
    again = re.search(r'name="digest" value="(\w+)"', response.content.decode())[1]
    bought.confirm("1", digest=again)
    assert Refund.objects.get().amount_minor == 1250


def test_a_second_click_is_told_that_it_is_cancelled():
    bought = Bought()
    digest = bought.digest()
    bought.confirm("1", digest=digest)
    response = bought.client.post(bought.address, {"place": "1", "digest": digest}, follow=True)
    assert "This is cancelled already." in response.content.decode()
    assert Refund.objects.count() == 1


def test_it_says_why_something_cannot_be_cancelled():
    bought = Bought()
    SAMPLE.closes_at = timezone.now()
    response, page = bought.page()
    assert response.status_code == 200
    assert "It is too late to cancel this." in page
    assert '<form method="post" action="/my/orders/lines/' not in page


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"digest": ""},
        {"place": "1"},
        {"place": "1", "digest": "0" * 64},
        {"place": "1", "digest": "\x00"},
        {"place": ["1", "2"], "digest": "x"},
        {"place": "١", "digest": "x"},
        {"place": "\ud800".encode("utf-8", "surrogatepass"), "digest": b"\xff"},
        {"place": "9" * 5000, "digest": "x" * 5000, "amount": "999999", "quantity": "-1"},
        {"place": ["1"] * 500, "digest": "x"},
    ],
)
def test_whatever_else_is_posted_cancels_nothing(posted):
    bought = Bought()
    response = bought.client.post(bought.address, posted)
    assert response.status_code in (302, 409)
    bought.line.refresh_from_db()
    assert (bought.line.state, bought.line.refunded_minor) == ("fulfilled", 0)


def test_a_digest_counts_only_for_its_own_places_and_line():
    bought, other = Bought(1000, quantity=3), Bought(1000, quantity=3)
    digest = bought.digest("1")
    assert bought.confirm("2", digest=digest).status_code == 409
    assert bought.confirm("1", "2", digest=digest).status_code == 409
    assert other.confirm("1", digest=digest).status_code == 409
    assert not Refund.objects.exists()


def test_others_and_unpaid_orders_find_nothing():
    bought = Bought()
    digest = bought.digest()
    stranger = signed_in(UserFactory())
    assert bought.page(client=stranger)[0].status_code == 404
    assert bought.confirm("1", digest=digest, client=stranger).status_code == 404
    assert Client().get(bought.address).status_code == 302
    unpaid = open_order(user=bought.order.user).order.lines.get()
    for line_id in (unpaid.pk, 0, 10**30):
        assert bought.client.get(f"/my/orders/lines/{line_id}/cancel/").status_code == 404
    assert not Refund.objects.exists()
    assert OrderLine.objects.get(pk=bought.line.pk).state == "fulfilled"


def test_a_forged_form_of_another_site_is_refused():
    bought = Bought()
    digest = bought.digest()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bought.order.user)
    assert strict.post(bought.address, {"place": "1", "digest": digest}).status_code == 403
