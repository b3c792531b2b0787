"""Tell staff that something needs them: once while it lasts, not once per occurrence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notifications.models import Alert
from notifications.outbox import queue_mail
from notifications.plain_json import as_plain_json

log = structlog.get_logger(__name__)

# Alerts opened within an hour that staff get a mail of their own about; those beyond share one.
_MAILED_PER_HOUR = 20


def raise_alert(*, key: str, title: str, detail: Mapping[str, Any] | None = None) -> None:
    """Open an alert under `key`, or count one more occurrence of the one that is open. Staff get one mail per opening.

    Part of the caller's transaction, yet never raises into it: an alert that cannot be recorded is logged.
    """
    log.error("alert", key=key, title=title, detail=dict(detail or {}))
    try:
        with transaction.atomic():
            _open_or_count(key[:200], title[:200], as_plain_json(detail or {}))
    except Exception:  # whoever raises an alert has trouble enough
        log.exception("alert_not_recorded", key=key)


def clear_alert(*, key: str) -> bool:
    """Close what is open under `key`; the next occurrence opens a new one and tells staff again."""
    return bool(Alert.objects.filter(key=key[:200], cleared_at__isnull=True).update(cleared_at=Now()))


def _open_or_count(key: str, title: str, detail: dict[str, Any]) -> None:
    is_open = Alert.objects.filter(key=key, cleared_at__isnull=True)
    if is_open.exists():
        _count(key)
        return
    try:
        with transaction.atomic():
            alert = Alert.objects.create(key=key, title=title, detail=detail)
    except IntegrityError:
        # Opened by somebody else in this very moment, who tells staff.
        _count(key)
        return
    _tell_staff(alert)


def _count(key: str) -> None:
    # Whoever finds the row locked goes on uncounted: a flood of failures must not queue up behind one counter, nor
    # hold it against another's locks. So `occurrences` says at least how often.
    seen = Alert.objects.select_for_update(skip_locked=True).filter(key=key, cleared_at__isnull=True).first()
    if seen:
        Alert.objects.filter(pk=seen.pk).update(occurrences=F("occurrences") + 1, last_seen_at=Now())


def _tell_staff(alert: Alert) -> None:
    # In a fixed order: their numbers are part of the mails' keys.
    superusers = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    addresses = settings.STAFF_ALERT_EMAILS or superusers.values_list("email", flat=True)
    hour = timezone.now().strftime("%Y%m%d%H")
    is_flood = Alert.objects.filter(opened_at__gte=Now() - timedelta(hours=1)).count() > _MAILED_PER_HOUR
    for number, address in enumerate(addresses):
        if is_flood:
            # One mail stands for all the others of this hour: the key is the same for each of them.
            queue_mail(
                key=f"alerts-gathered:{hour}:{number}",
                to=address,
                template="notifications/mail/alerts_gathered",
                context={"alerts_path": reverse("admin:notifications_alert_changelist")},
            )
        else:
            queue_mail(
                key=f"alert:{alert.pk}:{number}",
                to=address,
                template="notifications/mail/alert",
                context={
                    "title": alert.title,
                    "details": sorted(alert.detail.items()),
                    "alert_path": reverse("admin:notifications_alert_change", args=[alert.pk]),
                },
            )
