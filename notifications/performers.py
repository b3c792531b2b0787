"""Registers the delivery of mails as durable work."""

from __future__ import annotations

from jobs.registry import performs
from notifications.alerts import raise_alert
from notifications.delivery import deliver
from notifications.models import Mail


def alert_parked_mail(mail: Mail) -> None:
    """Alert staff. All parked mails share one alert, so that an alert's own mail that is parked causes no chain."""
    raise_alert(
        key="mail-parked",
        title="An email could not be delivered",
        detail={"mail": mail.pk, "template": mail.template, "error": mail.last_error.strip()[-300:]},
    )


performs(Mail, when_parked=alert_parked_mail)(deliver)
