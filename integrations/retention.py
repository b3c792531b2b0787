"""Answers to requests with a key are kept for a time; after that the key counts as new."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from integrations.models import StoredAnswer
from jobs.retention import Kept


def expired_answers(kept: timedelta) -> QuerySet[StoredAnswer]:
    """Answers, and claims whose requests were never repeated."""
    return StoredAnswer.objects.filter(created_at__lt=Now() - kept)


RETENTION = (Kept(name="integrations.stored_answers", setting="STORED_ANSWERS_KEPT", expired=expired_answers),)
