"""When a teacher takes requests from students who have chosen no teacher."""

from __future__ import annotations

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Teacher
from bookings.models.requests import LessonRequest


class Availability(models.Model):
    """A teacher's pause and the days they teach. A teacher without this row is available on every day.

    It steers which requests a teacher is given. Students who choose the teacher themselves may ask at any time.
    """

    teacher = models.OneToOneField(Teacher, primary_key=True, on_delete=models.CASCADE, related_name="availability")
    is_paused = models.BooleanField("pause", default=False, help_text="No new requests are given to the teacher.")
    paused_until = models.DateField(
        "until",
        null=True,
        blank=True,
        help_text="The first day with new requests again. If empty, the pause lasts until it is ended here.",
    )
    days = ArrayField(
        models.CharField(max_length=3, choices=LessonRequest.Weekday),
        default=list,
        blank=True,
        verbose_name="days",
        help_text="The days on which they teach: mon, tue. Empty means every day.",
    )

    class Meta:
        verbose_name_plural = "availability"
        constraints = [
            models.CheckConstraint(
                condition=Q(is_paused=True) | Q(paused_until__isnull=True),
                name="availability_end_of_a_pause",
                violation_error_message="Only a pause has an end: tick the pause too.",
            )
        ]

    def __str__(self) -> str:
        return f"Availability of {self.teacher}"

    def is_pausing(self, today: date) -> bool:
        """Whether the teacher takes no new requests on this day."""
        return self.is_paused and (self.paused_until is None or self.paused_until > today)
