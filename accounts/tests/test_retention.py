from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from jobs.retention import delete_expired, registered_retention

pytestmark = pytest.mark.django_db


def test_sessions_go_a_day_after_they_ended():
    for key, hours in (("long ago", -25), ("just now", -23), ("live", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(hours=hours))
    [kept] = [kept for kept in registered_retention() if kept.name == "accounts.sessions"]
    assert delete_expired(kept) == 1
    assert set(Session.objects.values_list("session_key", flat=True)) == {"just now", "live"}
