"""The rows of accounts that are deleted after a time."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.db.models.functions import Now

from jobs.retention import Kept


def expired_sessions(kept: timedelta) -> QuerySet[Session]:
    """Sessions that can no longer be used, for example those of guests who left with something in their cart."""
    return Session.objects.filter(expire_date__lt=Now() - kept)


RETENTION = (Kept(name="accounts.sessions", setting="EXPIRED_SESSIONS_KEPT", expired=expired_sessions),)
