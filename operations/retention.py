"""The rows of operations that are deleted after a time."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from jobs.retention import Kept
from operations.models import Change


def old_changes(kept: timedelta) -> QuerySet[Change]:
    """Changes that need not be explained any more."""
    return Change.objects.filter(at__lt=Now() - kept)


RETENTION = (Kept(name="operations.changes", setting="AUDIT_TRAIL_KEPT", expired=old_changes),)
