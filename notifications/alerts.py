"""Alert staff to a problem: once while it lasts, not once per occurrence."""

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

# How many of the alerts opened within an hour get a separate mail; the others share one.
_MAILED_PER_HOUR = 20


def raise_alert(*, key: str, title: str, detail: Mapping[str, Any] | None = None) -> None:
    """Open an alert under `key`, or count one more occurrence of the open one. Staff get one mail when it is opened.

    `detail["page"]` is the path of this site's page on which staff solve it; alert and mail link to it.
    `detail["what to do"]` is a sentence that says how.
    Runs in the caller's transaction but never raises: an alert that cannot be recorded is logged.
    """
    log.error("alert", key=key, title=title, detail=dict(detail or {}))
    try:
        with transaction.atomic():
            _open_or_count(key[:200], title[:200], as_plain_json(detail or {}))
    except Exception:  # the caller is already handling a failure
        log.exception("alert_not_recorded", key=key)


def clear_alert(*, key: str) -> bool:
    """Clear the open alert under `key` and return whether there was one; the next occurrence opens a new alert."""
    return bool(Alert.objects.filter(key=key[:200], cleared_at__isnull=True).update(cleared_at=Now()))


def acknowledge_alert(alert: Alert, *, by_id: int) -> bool:
    """Record that a member of staff deals with an open alert. False if it is cleared, or taken on already."""
    unread = Alert.objects.unread().filter(pk=alert.pk)
    return bool(unread.update(acknowledged_at=Now(), acknowledged_by_id=by_id))


def _open_or_count(key: str, title: str, detail: dict[str, Any]) -> None:
    is_open = Alert.objects.filter(key=key, cleared_at__isnull=True)
    if is_open.exists():
        _count(key)
        return
    try:
        with transaction.atomic():
            alert = Alert.objects.create(key=key, title=title, detail=detail)
    except IntegrityError:
        # Another process opened it at the same moment and mails staff.
        _count(key)
        return
    _mail_staff(alert)


def _count(key: str) -> None:
    # If the row is locked, the occurrence is not counted: a flood of failures must not wait for one counter, nor hold
    # it while waiting for other locks. So `occurrences` is a lower bound.
    seen = Alert.objects.select_for_update(skip_locked=True).filter(key=key, cleared_at__isnull=True).first()
    if seen:
        Alert.objects.filter(pk=seen.pk).update(occurrences=F("occurrences") + 1, last_seen_at=Now())


def staff_addresses() -> list[str]:
    """The addresses that mails to staff go to, in a fixed order."""
    superusers = User.objects.filter(is_superuser=True, is_active=True).order_by("pk")
    return list(settings.STAFF_ALERT_EMAILS or superusers.values_list("email", flat=True))


def _mail_staff(alert: Alert) -> None:
    hour = timezone.now().strftime("%Y%m%d%H")
    is_flood = Alert.objects.filter(opened_at__gte=Now() - timedelta(hours=1)).count() > _MAILED_PER_HOUR
    for number, address in enumerate(staff_addresses()):
        # The numbers are part of the mails' keys.
        if is_flood:
            # The key is the same for all further alerts of this hour, so they share one mail.
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
                    "details": alert.facts,
                    "what_to_do": alert.what_to_do,
                    "page_path": alert.page,
                    "alert_path": reverse("admin:notifications_alert_change", args=[alert.pk]),
                },
            )
