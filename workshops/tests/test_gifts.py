"""Places in workshops as gifts, through the cart, payment and redeeming of payments."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import UserFactory
from jobs.invariants import broken, installed_invariants
from notifications.models import Mail
from payments.gifts.redeeming import CannotRedeem, redeem_gift
from payments.tests.factories import client_of
from payments.tests.gift_factories import code, paid_gift
from workshops.models import Registration
from workshops.tests.factories import make_workshop

pytestmark = pytest.mark.django_db


@pytest.fixture
def workshop():
    return make_workshop(capacity=1)


def gift_of(workshop):
    return paid_gift(reference=workshop.pk, domain="workshops")


def test_the_place_is_taken_and_without_a_ticket_until_it_is_redeemed(workshop):
    gift = gift_of(workshop)
    giver, ada = gift.line.order.user, UserFactory(full_name="Augusta King")
    place = Registration.objects.get()
    assert (place.state, place.participant_name, place.is_gift_waiting) == ("confirmed", "Ada Lovelace", True)
    tickets = reverse("workshops:mine")
    assert workshop.title not in client_of(giver).get(tickets).content.decode()
    assert client_of(giver).get(place.get_absolute_url()).status_code == 404
    desk = (
        client_of(workshop.teacher.user).get(reverse("workshops:participants", args=[workshop.slug])).content.decode()
    )
    assert "Gift, not redeemed yet" in desk
    assert place.code not in desk
    redeem_gift(text=code(gift), user=ada)
    place.refresh_from_db()
    assert (place.buyer, place.participant_name, place.participant_email) == (ada, "Augusta King", ada.email)
    assert workshop.title in client_of(ada).get(tickets).content.decode()
    page = client_of(ada).get(place.get_absolute_url()).content.decode()
    assert place.code in page
    assert "Cancel this place" not in page
    assert gift.line.order.number not in page
    assert workshop.title not in client_of(giver).get(tickets).content.decode()
    assert Mail.objects.filter(user=ada, template="workshops/mail/registration_confirmed").count() == 1
    assert broken(installed_invariants()) == {}


def test_a_place_that_was_not_redeemed_lapses_with_the_workshop(workshop):
    gift = gift_of(workshop)
    typed = code(gift)
    last = max(session.ends_at for session in workshop.sessions.all())
    with time_machine.travel(last - timedelta(minutes=1), tick=False):
        assert redeem_gift(text=code(gift_of(make_workshop())), user=UserFactory()).redeemed_at
    with (
        time_machine.travel(last + timedelta(minutes=1), tick=False),
        pytest.raises(CannotRedeem, match="is over"),
    ):
        redeem_gift(text=typed, user=UserFactory())
    assert timezone.now() < last
