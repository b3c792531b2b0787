"""One lesson at one time: proposed, held while it is being paid, then confirmed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from accounts.models import Teacher
from accounts.one_line import LineField
from accounts.time_zones import zone_named
from bookings.models.requests import LessonRequest
from bookings.rules import LONGEST_LINK
from money import Money

# The teacher as a range of one number, so that && on it means =. A GiST index can compare ranges without extensions;
# comparing the plain number would need btree_gist, which small PostgreSQL builds do not include.
_SAME_TEACHER = models.Func(
    F("teacher"), F("teacher"), models.Value("[]"), function="int8range", output_field=BigIntegerRangeField()
)

_END = models.Func(F("period"), function="upper", output_field=models.DateTimeField())


class LessonQuerySet(models.QuerySet["Lesson"]):
    """Filters whose results depend on the given moment."""

    def occupying(self, now: datetime) -> LessonQuerySet:
        """Lessons that occupy their slot: confirmed, or held by a hold that has not lapsed."""
        return self.filter(Q(state=Lesson.State.CONFIRMED) | Q(state=Lesson.State.HELD, held_until__gt=now))

    def lapsed(self, now: datetime) -> LessonQuerySet:
        """Lessons whose hold has ended but is not released yet; any buyer of the slot may release it."""
        return self.filter(state=Lesson.State.HELD, held_until__lte=now)

    def for_pages(self) -> LessonQuerySet:
        """Select everything that pages show about a lesson."""
        return self.select_related("request__subject", "teacher__user", "student")


class Lesson(models.Model):
    """A lesson a teacher proposed to one student at one time and price.

    The database refuses two held or confirmed lessons of a teacher that overlap, so a slot cannot be sold twice.
    Proposed lessons may overlap. Amounts are in minor units. `order_line_id` is payments' id of the order line that
    holds the lesson or paid for it; it is kept after a cancellation. A lesson taken with a lesson credit has no line.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed"
        HELD = "held", "Being paid"
        CONFIRMED = "confirmed", "Paid and confirmed"
        COMPLETED = "completed"
        NO_SHOW = "no_show", "Student did not come"
        CANCELLED = "cancelled"

    request = models.ForeignKey(LessonRequest, on_delete=models.PROTECT, related_name="lessons")
    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="lessons")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lessons")
    # Includes its start and excludes its end, so that lessons may follow each other directly.
    period = DateTimeRangeField()
    state = models.CharField(max_length=9, choices=State, default=State.PROPOSED)
    held_until = models.DateTimeField(null=True, blank=True)
    order_line_id = models.BigIntegerField(null=True, blank=True, unique=True)
    # Confirmed with a lesson credit of a subscription instead of a payment; kept after a cancellation.
    is_by_credit = models.BooleanField("by lesson credit", default=False, db_default=False)
    # When its teacher earned the credit or the student got it back.
    credit_ended_at = models.DateTimeField(null=True, blank=True)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    is_online = models.BooleanField("online", default=True)
    meeting_url = models.URLField("link to join", max_length=LONGEST_LINK, blank=True)
    place = LineField(max_length=200, blank=True)
    time_zone = models.CharField(
        max_length=50,
        blank=True,
        help_text="The zone of the place. Empty online, where times are shown in the reader's zone.",
    )
    policy = models.JSONField(default=dict, help_text="The cancellation policy when it was proposed.")
    proposed_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    # Both change with anything that its entry in a calendar shows: a trigger of the database sees to it.
    sequence = models.PositiveIntegerField(db_default=0, editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = LessonQuerySet.as_manager()

    class Meta:
        ordering = ["period", "pk"]
        indexes = [
            models.Index(fields=["student", "state"], name="lesson_of_student"),
            models.Index(fields=["teacher", "state"], name="lesson_of_teacher"),
            # For the lists of the API, newest first.
            models.Index(fields=["student", "-proposed_at"], name="lesson_by_student"),
            models.Index(fields=["teacher", "-proposed_at"], name="lesson_by_teacher"),
            # For the load of teachers, which reads no lessons of the past.
            models.Index(_END, condition=Q(state__in=["held", "confirmed"]), name="lesson_ahead"),
            models.Index(_END, condition=Q(state__in=["proposed", "held"]), name="lesson_proposed_ahead"),
            models.Index(_END, condition=Q(is_by_credit=True, credit_ended_at__isnull=True), name="lesson_with_credit"),
        ]
        constraints = [
            ExclusionConstraint(
                name="lesson_slot_sold_once",
                expressions=[(_SAME_TEACHER, RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)],
                condition=Q(state__in=["held", "confirmed"]),
            ),
            models.CheckConstraint(
                condition=Q(period__isempty=False, period__lower_inf=False, period__upper_inf=False)
                & Q(period__lower_inc=True, period__upper_inc=False),
                name="lesson_starts_and_ends",
            ),
            models.CheckConstraint(
                condition=Q(state="held", held_until__isnull=False, order_line_id__isnull=False)
                | (~Q(state="held") & Q(held_until__isnull=True)),
                name="lesson_held_by_a_line_until",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "completed", "no_show"])
                | Q(order_line_id__isnull=False)
                | Q(is_by_credit=True),
                name="lesson_confirmed_by_a_line_or_credit",
            ),
            models.CheckConstraint(
                condition=~Q(state="proposed") | Q(order_line_id__isnull=True, is_by_credit=False),
                name="lesson_proposed_is_unpaid",
            ),
            models.CheckConstraint(
                condition=Q(is_by_credit=False, credit_ended_at__isnull=True)
                | Q(is_by_credit=True, order_line_id__isnull=True),
                name="lesson_paid_one_way",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["proposed", "held", "confirmed", "completed", "no_show", "cancelled"]),
                name="lesson_state_known",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="lesson_amount_above_zero"),
        ]

    def __str__(self) -> str:
        return f"Lesson {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("bookings:lesson_detail", args=[self.pk])

    @property
    def price(self) -> Money:
        return Money(self.amount_minor, self.currency)

    @property
    def place_zone(self) -> ZoneInfo | None:
        """The zone of the place of the lesson; None online, where times are shown in the reader's zone."""
        return None if self.is_online else zone_named(self.time_zone)

    @property
    def starts_at(self) -> datetime:
        return cast("datetime", self._range.lower)

    @property
    def ends_at(self) -> datetime:
        return cast("datetime", self._range.upper)

    @property
    def title(self) -> str:
        """Its title in cart and receipt, which name the teacher beside it. Reads request and subject."""
        return f"{self.request.subject.name} lesson"

    @property
    def is_confirmed(self) -> bool:
        return self.state == self.State.CONFIRMED

    @property
    def is_on_hold(self) -> bool:
        """Whether the student is paying for it right now. A lapsed hold does not count."""
        return self.state == self.State.HELD and self.held_until is not None and self.held_until > timezone.now()

    @property
    def can_be_bought(self) -> bool:
        """Whether the student can buy it, unless another lesson occupies its slot."""
        is_waiting = self.state in (self.State.PROPOSED, self.State.HELD) and not self.is_on_hold
        return is_waiting and self.starts_at > timezone.now()

    @property
    def _range(self) -> Any:
        return self.period
