"""The rows of notifications that are deleted after a time."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from jobs.retention import Kept
from notifications.models import Alert, Mail


def expired_mails(kept: timedelta) -> QuerySet[Mail]:
    """Sent mails. Parked ones are kept for staff."""
    return Mail.objects.filter(state=Mail.State.DONE, finished_at__lt=Now() - kept)


def expired_account_mails(kept: timedelta) -> QuerySet[Mail]:
    """Sent mails that may contain a link which signs their reader in: once the link is old, only a thief could use them."""
    return Mail.objects.filter(
        Q(state=Mail.State.DONE, finished_at__lt=Now() - kept), template__startswith=Mail.CONFIDENTIAL_TEMPLATES
    )


def expired_alerts(kept: timedelta) -> QuerySet[Alert]:
    """Cleared alerts. Open ones are kept."""
    return Alert.objects.filter(cleared_at__lt=Now() - kept)


RETENTION = (
    Kept(name="notifications.mails", setting="MAILS_KEPT", expired=expired_mails),
    Kept(name="notifications.account_mails", setting="ACCOUNT_MAILS_KEPT", expired=expired_account_mails),
    Kept(name="notifications.alerts", setting="ALERTS_KEPT", expired=expired_alerts),
)
