"""Which teachers were asked about a request and why, and how much work each teacher has."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import Teacher
from bookings.models.requests import LessonRequest
from catalogue.models import Subject


class Assignment(models.Model):
    """One teacher who was asked about a request; or, without a teacher, that staff must find one.

    Rows are kept as the record of why a teacher was chosen. The current one has no end. `findings` holds one tally of
    teachers for each subject that was searched (see `bookings.matching.Tally`), and `runners_up` the ids and loads of
    those who would have been next. Ids, not names: names are looked up when staff read them.
    """

    class Cause(models.TextChoices):
        REQUESTED = "requested", "The student asked"
        DECLINED = "declined", "The teacher before declined"
        LAPSED = "lapsed", "The teacher before did not answer in time"
        LEFT = "left", "The teacher before stopped teaching here"
        RETRIED = "retried", "A suitable teacher became available"
        MOVED = "moved", "Moved by staff"

    class Outcome(models.TextChoices):
        ACCEPTED = "accepted"
        DECLINED = "declined"
        LAPSED = "lapsed", "Not answered in time"
        LEFT = "left", "Stopped teaching here"
        MOVED = "moved", "Moved to another teacher"
        WITHDRAWN = "withdrawn", "Withdrawn by the student"
        FOUND = "found", "A teacher was found"

    request = models.ForeignKey(LessonRequest, on_delete=models.CASCADE, related_name="assignments")
    teacher = models.ForeignKey(Teacher, null=True, blank=True, on_delete=models.PROTECT, related_name="assignments")
    cause = models.CharField(max_length=9, choices=Cause)
    subject = models.ForeignKey(
        Subject,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The subject by which the teacher was found: the requested one, or the broader one.",
    )
    findings: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    runners_up: models.JSONField[Any, Any] = models.JSONField(default=list, blank=True)
    load = models.PositiveIntegerField(default=0, help_text="Pending requests and upcoming lessons before this one.")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.TextField(blank=True, max_length=2000, help_text="What the teacher or staff wrote about it.")
    made_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["made_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(ended_at__isnull=True), name="assignment_one_is_current"
            ),
            # A teacher who declined or did not answer is never asked again. One from whom staff moved it away may be.
            models.UniqueConstraint(
                fields=["request", "teacher"], condition=~Q(outcome="moved"), name="assignment_once_per_teacher"
            ),
            models.CheckConstraint(
                condition=Q(outcome="", ended_at__isnull=True) | (~Q(outcome="") & Q(ended_at__isnull=False)),
                name="assignment_ends_with_an_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request}: {self.teacher or 'staff'}"


class TeacherLoad(models.Model):
    """How much work each teacher has now. A view of the database (see the migration), so it is never out of date."""

    teacher = models.OneToOneField(Teacher, primary_key=True, on_delete=models.DO_NOTHING, related_name="load")
    open_requests = models.IntegerField("requests to answer")
    open_proposals = models.IntegerField(
        "proposals", help_text="Accepted requests whose times the student can still choose. Each counts once."
    )
    upcoming_lessons = models.IntegerField(help_text="Paid or being paid, and not over.")
    total = models.IntegerField("load")

    class Meta:
        managed = False
        db_table = "bookings_teacherload"
        ordering = ["-total", "teacher"]
        verbose_name = "load of a teacher"
        verbose_name_plural = "load of teachers"

    def __str__(self) -> str:
        return f"{self.teacher}: {self.total}"
