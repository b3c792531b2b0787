"""Mails about staff's decisions on teachers. `accounts` calls it through the listener registered in apps.py."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import Teacher
from notifications.outbox import queue_mail


def queue_decision_mail(teacher: Teacher) -> None:
    """Queue the mail about the teacher's current status, in the transaction that changed it."""
    changed_at = teacher.decided_at or teacher.applied_at
    queue_mail(
        key=f"teacher:{teacher.pk}:{teacher.status}:{changed_at.isoformat()}",
        to=teacher.user,
        template=f"accounts/mail/teacher_{teacher.status}",
        context={
            "note": teacher.decision_note,
            "apply_path": reverse("accounts:teacher_apply"),
            "profile_path": reverse("accounts:teacher_profile"),
        },
    )
