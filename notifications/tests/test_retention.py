"""Mails and alerts are deleted after their time; those that need staff are kept."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from jobs.retention import delete_expired, registered_retention
from notifications.models import Alert, Mail

pytestmark = pytest.mark.django_db


def delete_old(name):
    [kept] = [kept for kept in registered_retention() if kept.name == name]
    return delete_expired(kept)


def make_mail(key, *, age, state="done", template="bookings/mail/lesson_confirmed"):
    Mail.objects.create(key=key, to="anna@example.org", template=template, state=state)
    Mail.objects.filter(key=key).update(finished_at=Now() - timedelta(days=age), created_at=Now() - timedelta(days=age))


def keys():
    return set(Mail.objects.values_list("key", flat=True))


def test_sent_mails_are_deleted_and_others_kept(settings):
    settings.MAILS_KEPT = timedelta(days=365)
    make_mail("old", age=366)
    make_mail("young", age=364)
    make_mail("parked", age=4000, state="parked")
    make_mail("waiting", age=4000, state="waiting")
    assert delete_old("notifications.mails") == 1
    assert keys() == {"young", "parked", "waiting"}


def test_mails_that_may_sign_their_reader_in_are_deleted_within_days(settings):
    settings.ACCOUNT_MAILS_KEPT = timedelta(days=7)
    make_mail("reset", age=8, template="account/email/password_reset")
    make_mail("fresh reset", age=6, template="account/email/password_reset")
    make_mail("lesson", age=8)
    assert delete_old("notifications.account_mails") == 1
    assert keys() == {"fresh reset", "lesson"}


def test_deleting_a_mail_keeps_its_second_sending(settings):
    make_mail("old", age=4000)
    make_mail("again", age=1)
    Mail.objects.filter(key="again").update(again_of=Mail.objects.get(key="old"))
    assert delete_old("notifications.mails") == 1
    assert Mail.objects.get().again_of is None


def test_cleared_alerts_are_deleted_and_open_ones_kept():
    for key, days in (("old", 366), ("young", 364), ("open", None)):
        alert = Alert.objects.create(key=key, title=key)
        cleared_at = None if days is None else Now() - timedelta(days=days)
        Alert.objects.filter(pk=alert.pk).update(opened_at=Now() - timedelta(days=4000), cleared_at=cleared_at)
    assert delete_old("notifications.alerts") == 1
    assert set(Alert.objects.values_list("key", flat=True)) == {"young", "open"}
