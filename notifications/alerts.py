"""Tell staff that something needs them: once while it lasts, not once per occurrence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from notifications.models import Alert

log = structlog.get_logger()


def raise_alert(*, key: str, title: str, detail: Mapping[str, Any] | None = None) -> None:
    """Open an alert under `key`, or count one more occurrence of the one that is open. Staff get one mail per opening."""
    log.error("alert", key=key, title=title, **{"detail": dict(detail or {})})
    with transaction.atomic():
        is_open = Alert.objects.filter(key=key, cleared_at__isnull=True).update(
            occurrences=F("occurrences") + 1, last_seen_at=Now()
        )
        if not is_open:
            # Two processes may open it at once; the unique constraint lets one through and the mail's key is shared.
            Alert.objects.bulk_create([Alert(key=key, title=title, detail=dict(detail or {}))], ignore_conflicts=True)
