"""Mail what was done under an emergency access, once it is over."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count
from django.db.models.functions import Now
from django.urls import reverse

from notifications.alerts import clear_alert, staff_addresses
from notifications.outbox import queue_mail
from operations.emergency.taking import alert_key
from operations.models import Change, EmergencyAccess

_LISTED_AT_MOST = 100


def report_ended() -> int:
    """Report each access that is over and was not reported; returns how many. Two processes may do so at once."""
    pks = EmergencyAccess.objects.unreported().order_by("pk").values_list("pk", flat=True)
    return sum(_report(pk) for pk in list(pks))


@transaction.atomic
def _report(pk: int) -> bool:
    due = EmergencyAccess.objects.unreported().select_for_update(of=("self",), skip_locked=True)
    access = due.select_related("user", "ended_by").filter(pk=pk).first()
    if access is None:
        return False
    addresses = dict.fromkeys([*staff_addresses(), access.user.email])
    for number, address in enumerate(addresses):
        queue_mail(
            key=f"emergency-access:{access.pk}:{number}",
            to=address,
            template="operations/mail/emergency_report",
            context=_context(access),
        )
    EmergencyAccess.objects.filter(pk=pk).update(reported_at=Now())
    clear_alert(key=alert_key(access))
    return True


def changes_under(access: EmergencyAccess) -> Any:
    """The changes that were made under it, the first first."""
    return Change.objects.filter(emergency_access_id=access.pk).order_by("pk")


def _context(access: EmergencyAccess) -> dict[str, Any]:
    changes = changes_under(access)
    kinds = changes.order_by("model").values("model", "action").annotate(count=Count("pk"))
    return {
        "person": access.user.email,
        "role": access.role,
        "reason": access.reason,
        "started": f"{access.started_at:%Y-%m-%d %H:%M} UTC",
        "ended": f"{access.ended_at or access.ends_at:%Y-%m-%d %H:%M} UTC",
        "ended_by": access.ended_by.email if access.ended_by else "",
        "count": changes.count(),
        "kinds": [f"{row['model']} {row['action']}: {row['count']}" for row in kinds],
        "lines": [
            f"{change.at:%H:%M:%S} {change.action} {change.model} {change.object_id}"
            for change in changes[:_LISTED_AT_MOST]
        ],
        "page": reverse("admin:operations_emergencyaccess_change", args=[access.pk]),
    }
