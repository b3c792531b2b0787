"""Mails about teachers' applications and staff's decisions on them. `accounts` calls these through the listeners registered in apps.py."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import Teacher
from notifications.alerts import staff_addresses
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


def queue_applicant_mail(teacher: Teacher) -> None:
    """Tell staff that a person applied to teach. Of several in a short time they get one mail, with the number."""
    if teacher.status != Teacher.Status.APPLIED:
        return
    waiting = Teacher.objects.filter(status=Teacher.Status.APPLIED).count()
    for number, address in enumerate(staff_addresses()):
        queue_mail(
            key=f"applicant:{teacher.pk}:{teacher.applied_at.isoformat()}:{number}",
            to=address,
            template="accounts/mail/applicant_waits",
            context={
                "applicant": teacher.display_name,
                "waiting": waiting,
                "applicant_path": reverse("admin:accounts_teacher_change", args=[teacher.pk]),
                "applicants_path": f"{reverse('admin:accounts_teacher_changelist')}?status__exact=applied",
            },
            series="applicants",
        )
