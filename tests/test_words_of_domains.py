"""What the domains say of their units and of when a share is earned, as pages and mails show it."""

import pytest

from accounts.tests.factories import TeacherFactory
from payments.earnings.maturing import when_available
from payments.registry import registered_domains, revoke_words, revoked_words
from tests.market import open_market, signed_in

WORDS = {
    "private_teaching": ("Cancel the lesson", "lesson cancelled", "2 lessons cancelled"),
    "workshops": ("Give the place back", "1 place given back", "2 places given back"),
    "courses": ("End the access to the course", "access ended", "access ended"),
    "a domain that was removed": ("Take back what was delivered", "1 taken back", "2 taken back"),
}


@pytest.mark.parametrize("domain", WORDS)
def test_one_unit_is_not_called_several(domain):
    assert (revoke_words(domain, 1), revoked_words(domain, 1), revoked_words(domain, 2)) == WORDS[domain]


def test_the_domains_tried_are_those_of_the_site():
    assert registered_domains() >= WORDS.keys() - {"a domain that was removed"}


def test_when_a_share_is_available_is_said_for_every_domain():
    text = when_available()
    assert text.startswith("A share becomes available 7 days after the payment, but not before it is earned: ")
    for clause in (
        "a lesson 3 days after it took place",
        "a workshop 3 days after its last session",
        "a course once the student can no longer get a full refund",
    ):
        assert clause in text


@pytest.mark.django_db
def test_teachers_read_it_where_their_money_is():
    market = open_market()
    assert when_available() in signed_in(market.teacher.user).get("/teach/earnings/").content.decode()
    assert when_available() in signed_in(TeacherFactory().user).get("/teach/payouts/").content.decode()
