"""Students' requests for lessons."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import Teacher
from accounts.places_and_languages import is_region, regions
from bookings.models.offers import LessonOffer
from bookings.rules import ANSWER_WITHIN, ASSIGNED_ANSWER_WITHIN
from catalogue.models import Level, Subject

# Countries that take an article, or that people call by a shorter name.
_IN_A_SENTENCE = {
    "AE": "the UAE", "BS": "the Bahamas", "CF": "the Central African Republic", "DO": "the Dominican Republic",
    "GB": "the UK", "GM": "the Gambia", "MV": "the Maldives", "NL": "the Netherlands", "PH": "the Philippines",
    "SC": "the Seychelles", "US": "the US",
}  # fmt: skip


class LessonRequest(models.Model):
    """A student's request for lessons, to one teacher or to any suitable one. Answered once.

    The state changes only through `bookings.requests` and `bookings.proposals`.
    """

    class State(models.TextChoices):
        OPEN = "open", "Waiting for an answer"
        ACCEPTED = "accepted"
        DECLINED = "declined"
        LAPSED = "lapsed", "Not answered in time"
        WITHDRAWN = "withdrawn"

    class Weekday(models.TextChoices):
        MONDAY = "mon", "Monday"
        TUESDAY = "tue", "Tuesday"
        WEDNESDAY = "wed", "Wednesday"
        THURSDAY = "thu", "Thursday"
        FRIDAY = "fri", "Friday"
        SATURDAY = "sat", "Saturday"
        SUNDAY = "sun", "Sunday"

    class DayPart(models.TextChoices):
        MORNING = "morning"
        AFTERNOON = "afternoon"
        EVENING = "evening"

    class Meeting(models.TextChoices):
        ONLINE = "online"
        IN_PERSON = "in_person", "In person"
        EITHER = "either", "Either suits me"

    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lesson_requests")
    # The teacher who is asked now. Empty while no suitable teacher is found; staff look for one then.
    teacher = models.ForeignKey(
        Teacher, null=True, blank=True, on_delete=models.PROTECT, related_name="lesson_requests"
    )
    is_to_any_teacher = models.BooleanField("to any suitable teacher", default=False)
    offer = models.ForeignKey(
        LessonOffer, null=True, blank=True, on_delete=models.SET_NULL, related_name="lesson_requests"
    )
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="lesson_requests")
    level = models.CharField(max_length=12, choices=Level)
    goals = models.TextField(max_length=2000)
    preferred_days = ArrayField(models.CharField(max_length=3, choices=Weekday), default=list, blank=True)
    preferred_parts = ArrayField(models.CharField(max_length=9, choices=DayPart), default=list, blank=True)
    preferred_times = models.CharField(max_length=500, blank=True)
    region = models.CharField(max_length=10, validators=[is_region], help_text="Where the student is: GB, US-CA.")
    meeting = models.CharField(max_length=9, choices=Meeting, default=Meeting.ONLINE)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    teacher_note = models.TextField(max_length=2000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # When its present teacher was asked, or staff began to look for one.
    asked_at = models.DateTimeField(default=timezone.now, db_default=Now())
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["created_at"], condition=Q(state="open"), name="lesson_request_open"),
            models.Index(fields=["asked_at"], condition=Q(state="open"), name="lesson_request_due"),
            models.Index(fields=["teacher", "state"], name="lesson_request_of_teacher"),
            # For the lists of the API, newest first.
            models.Index(fields=["student", "-created_at"], name="lesson_request_by_student"),
            models.Index(fields=["teacher", "-created_at"], name="lesson_request_by_teacher"),
        ]
        constraints = [
            # Submitting the form twice makes one request.
            models.UniqueConstraint(
                fields=["student", "teacher", "subject"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="lesson_request_open_once",
            ),
            # Two requests to any teacher would go to two teachers.
            models.UniqueConstraint(
                fields=["student", "subject"],
                condition=Q(state="open", is_to_any_teacher=True),
                name="lesson_request_to_any_open_once",
            ),
            models.CheckConstraint(
                condition=Q(teacher__isnull=False)
                | (Q(is_to_any_teacher=True) & ~Q(state__in=["accepted", "declined"])),
                name="lesson_request_answered_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "accepted", "declined", "lapsed", "withdrawn"]),
                name="lesson_request_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} for {self.student}"

    def get_absolute_url(self) -> str:
        return reverse("bookings:request_detail", args=[self.pk])

    @staticmethod
    def waits_for_staff() -> Q:
        """Requests for which staff must find a teacher."""
        return Q(state=LessonRequest.State.OPEN, is_to_any_teacher=True, teacher=None)

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def lapses_at(self) -> datetime:
        """Until when its teacher may answer, or staff find one. It then goes to the next teacher, or lapses."""
        is_assigned = self.is_to_any_teacher and self.teacher_id is not None
        return self.asked_at + (ASSIGNED_ANSWER_WITHIN if is_assigned else ANSWER_WITHIN)

    @property
    def preferred_summary(self) -> str:
        """Days, parts of the day and remarks in one line."""
        days = [str(self.Weekday(day).label) for day in self.preferred_days if day in self.Weekday.values]
        parts = [str(self.DayPart(part).label).lower() for part in self.preferred_parts if part in self.DayPart.values]
        return "; ".join(text for text in (", ".join(days), ", ".join(parts), self.preferred_times) if text)

    @property
    def region_name(self) -> str:
        """The name of the student's country; parts of countries keep their code: US-CA."""
        return dict(regions()).get(self.region, self.region)

    @property
    def region_in_a_sentence(self) -> str:
        """The country as it follows "from": the UK, the Netherlands, France."""
        return _IN_A_SENTENCE.get(self.region, self.region_name)

    @property
    def has_times_to_choose(self) -> bool:
        """Whether a proposed lesson can still be bought. Prefetch the lessons when listing several requests."""
        return any(lesson.can_be_bought for lesson in self.lessons.all())
