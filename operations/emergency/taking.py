"""Take a role in an emergency, and give it back. Each alerts staff; each ends by itself and is reported."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import User
from notifications.alerts import raise_alert
from operations.models import EmergencyAccess

# What a person may choose; the database refuses more than four hours whatever this says.
DURATIONS = (timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1), timedelta(hours=4))
PERMISSION = "operations.take_emergencyaccess"


class AccessIsRunning(Exception):
    """The person has taken a role that has not ended."""


def take_role(*, user: User, role: str, reason: str, lasting: timedelta) -> EmergencyAccess:
    """Give a person a role for a time, and alert staff, in one transaction. Raises AccessIsRunning.

    The caller has checked the permission. The database sets the beginning and limits the end.
    """
    try:
        with transaction.atomic():
            access = EmergencyAccess.objects.create(user=user, role=role, reason=reason, ends_at=Now() + lasting)
            access.refresh_from_db()
            raise_alert(
                key=alert_key(access),
                title=f"{user.email} took the role “{role}” in an emergency",
                detail={
                    "reason": reason,
                    "until": f"{access.ends_at:%Y-%m-%d %H:%M} UTC",
                },
            )
    except IntegrityError as error:
        if "emergency_access_one_at_a_time" in str(error):
            raise AccessIsRunning("An emergency access is running. End it before you take another.") from error
        raise
    return access


def end_access(*, access: EmergencyAccess, by: User) -> bool:
    """End it now; False if it is over already."""
    running = EmergencyAccess.objects.running().filter(pk=access.pk)
    return bool(running.update(ended_at=Now(), ended_by=by))


def alert_key(access: EmergencyAccess) -> str:
    """The key of the alert that is open while the access runs."""
    return f"emergency-access:{access.pk}"
