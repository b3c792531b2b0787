"""Owners hear twice before a token expires, and a program that uses an expired one is told so."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.tests.factories import UserFactory
from integrations.expiry import remind_of_expiring_tokens
from integrations.models import ApiToken
from integrations.tests.factories import token_and_secret, token_of
from integrations.tokens import revoke_token
from notifications.delivery import render
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def leave(token, **left):
    """Move the token back in time until this much of its life is left."""
    ends = timezone.now() + timedelta(**left)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=ends, created_at=ends - timedelta(days=30))


def reminders():
    return list(Mail.objects.filter(template="integrations/mail/token_expires").order_by("pk"))


def test_the_owner_is_told_two_weeks_and_a_day_before_once_each():
    token = token_of(UserFactory())
    for left, mails in (({"days": 15}, 0), ({"days": 13}, 1), ({"days": 2}, 1), ({"hours": 20}, 2), ({"hours": 1}, 2)):
        leave(token, **left)
        remind_of_expiring_tokens()
        remind_of_expiring_tokens()
        assert len(reminders()) == mails, left
    first, last = (render(mail) for mail in reminders())
    assert first.subject == "Your API token “Website” expires soon"
    assert last.subject == "Your API token “Website” expires within a day"
    assert "/my/tokens/" in first.text
    assert "Website" in first.html


def test_one_that_is_found_late_gets_one_mail():
    leave(token_of(UserFactory()), hours=5)
    assert remind_of_expiring_tokens() == 1


def test_what_no_longer_works_or_was_made_for_a_day_is_left_alone():
    user = UserFactory()
    revoked = token_of(user, name="Revoked")
    leave(revoked, days=3)
    revoke_token(revoked)
    token_of(user, name="For a day", lifetime=timedelta(hours=23))
    token_of(user, name="For a week", lifetime=timedelta(days=7))
    leave(token_of(user, name="Expired"), seconds=-1)
    gone = token_of(UserFactory(is_active=False))
    leave(gone, days=3)
    assert remind_of_expiring_tokens() == 0


def test_the_number_of_queries_does_not_grow(django_assert_num_queries, django_assert_max_num_queries):
    for number in range(12):
        leave(token_of(UserFactory(), name=str(number)), days=3)
    with django_assert_max_num_queries(12):
        assert remind_of_expiring_tokens() == 12


def ask(secret):
    return Client().get("/api/payments/balance", headers={"authorization": f"Bearer {secret}"})


def test_an_expired_token_says_so():
    token, secret = token_and_secret(UserFactory())
    leave(token, seconds=-5)
    answer = ask(secret)
    expired_at = ApiToken.objects.get().expires_at
    assert answer.status_code == 401
    assert (
        answer.json()["detail"]
        == f"The token expired at {expired_at:%Y-%m-%d %H:%M} UTC. Its owner can make a new one."
    )
    revoke_token(token)
    assert ask(secret).json()["detail"] == "The token is unknown or revoked."
