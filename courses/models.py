"""Courses with their modules, lessons, questions and prices, and the enrolments of students."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.models import Teacher, User
from accounts.one_line import LineField
from accounts.places_and_languages import languages
from catalogue.models import Level, Subject
from courses.uploads import private_storage
from money.models import Price
from subscriptions.access import subscriptions_opening_courses
from uploads.fields import PictureField, StoredFileField
from uploads.pictures import COVER


class CourseQuerySet(models.QuerySet["Course"]):
    """Filters by what a person may see or use."""

    def with_counts(self) -> CourseQuerySet:
        """Annotate `lesson_count` and `enrolled_count` by subqueries, because two joins would multiply the rows."""
        lessons = CourseLesson.objects.filter(module__course=OuterRef("pk"))
        enrolled = Enrolment.objects.active().filter(course=OuterRef("pk"))
        return self.annotate(lesson_count=_count_of(lessons), enrolled_count=_count_of(enrolled))

    def on_sale(self) -> CourseQuerySet:
        """Published courses of approved teachers."""
        return self.filter(state=Course.State.PUBLISHED, teacher__status=Teacher.Status.APPROVED)

    def visible_to(self, user: User | AnonymousUser) -> CourseQuerySet:
        """Courses on sale, and for a signed-in person also those they teach or are enrolled in."""
        visible = Q(state=Course.State.PUBLISHED, teacher__status=Teacher.Status.APPROVED)
        if user.is_authenticated:
            visible |= Q(teacher__user=user) | Q(
                pk__in=Enrolment.objects.active().filter(student=user).values("course")
            )
        return self.filter(visible)

    def open_to(self, user: User | AnonymousUser) -> CourseQuerySet:
        """Courses whose lessons and files a person may use: those they bought or teach, and those their plan opens."""
        return self.filter(_open_to(user))


def _open_to(user: User | AnonymousUser) -> Q:
    if not user.is_authenticated:
        return Q(pk__in=[])
    bought = Q(pk__in=Enrolment.objects.active().filter(student=user.pk).values("course"))
    return Q(teacher__user=user.pk) | bought | open_by_plan_to(user.pk)


def open_by_plan_to(user_id: int, prefix: str = "") -> Q:
    """Courses that a person's plan opens now: included by their teachers, and on sale. `prefix` leads to the course."""
    on_sale = {f"{prefix}state": Course.State.PUBLISHED, f"{prefix}teacher__status": Teacher.Status.APPROVED}
    return Q(**{f"{prefix}is_in_plans": True}, **on_sale) & Q(Exists(subscriptions_opening_courses(user_id)))


def _count_of(rows: models.QuerySet[Any]) -> Coalesce:
    """The number of rows of a correlated query."""
    counted = rows.order_by().annotate(number=Func(F("pk"), function="count")).values("number")
    return Coalesce(Subquery(counted, output_field=models.IntegerField()), 0)


class Course(models.Model):
    """A course: its texts, subject and state."""

    class State(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        WITHDRAWN = "withdrawn"
        # For good: every student is refunded, and no one has it any more.
        CLOSED = "closed"

    teacher = models.ForeignKey(Teacher, on_delete=models.PROTECT, related_name="courses")
    # Never changed after creation: mails and receipts link to it for years.
    slug = models.SlugField(max_length=60, unique=True)
    title = LineField(max_length=120)
    summary = LineField(max_length=300, help_text="One or two sentences, shown in lists.")
    description = models.TextField(blank=True, help_text="Markdown.")
    outcomes = ArrayField(
        models.CharField(max_length=200), default=list, blank=True, verbose_name="what students learn"
    )
    subject = models.ForeignKey(Subject, null=True, blank=True, on_delete=models.PROTECT, related_name="courses")
    levels = ArrayField(models.CharField(max_length=12, choices=Level), default=list, blank=True)
    language = models.CharField(max_length=10, default="en", help_text="ISO 639 code: en, fr.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    cover = PictureField(shape=COVER, upload_to="courses/covers/", blank=True)
    is_in_plans = models.BooleanField(
        "included in plans",
        default=False,
        db_default=False,
        help_text="Subscribers open it without buying it, and its teacher earns by use. Others can still buy it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        indexes = [models.Index(fields=["teacher", "title"], name="course_of_teacher")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("courses:detail", args=[self.slug])

    @property
    def level_names(self) -> str:
        return ", ".join(Level(level).label for level in self.levels)

    @property
    def language_name(self) -> str:
        return dict(languages()).get(self.language, self.language)

    @property
    def is_published(self) -> bool:
        return self.state == Course.State.PUBLISHED

    @property
    def is_closed(self) -> bool:
        return self.state == Course.State.CLOSED


class CoursePrice(Price):
    """The price of a course in one currency."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="prices")

    class Meta(Price.Meta):
        ordering = ["pk"]
        constraints = [
            *Price.Meta.constraints,
            models.UniqueConstraint(fields=["course", "currency"], name="course_one_price_per_currency"),
        ]


class Module(models.Model):
    """A chapter of a course."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="modules")
    title = LineField(max_length=120)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            # Deferred, so that two neighbours can be swapped.
            models.UniqueConstraint(
                fields=["course", "position"], name="module_position_once", deferrable=models.Deferrable.DEFERRED
            )
        ]

    def __str__(self) -> str:
        return self.title


class CourseLesson(models.Model):
    """One step of a module: something to read, watch, download or answer."""

    class Kind(models.TextChoices):
        TEXT = "text"
        VIDEO = "video"
        FILE = "file"
        QUIZ = "quiz"

    module = models.ForeignKey(Module, on_delete=models.CASCADE, related_name="lessons")
    title = LineField(max_length=120)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.TEXT)
    body = models.TextField(blank=True, help_text="Markdown.")
    video_url = models.CharField(
        "link to the video",
        max_length=500,
        blank=True,
        validators=[URLValidator(schemes=["https"])],
        help_text="Where the video is hosted, starting with https://",
    )
    # Outside MEDIA_ROOT: it is served only by `views.learning.lesson_file`.
    file = StoredFileField(storage=private_storage, upload_to="courses/files/", max_length=200, blank=True)
    file_name = models.CharField(
        max_length=120, blank=True, editable=False, help_text="The name of the downloaded file."
    )
    is_free_preview = models.BooleanField("free preview", default=False, help_text="Everyone can see it before buying.")
    minutes = models.PositiveSmallIntegerField("estimated minutes", default=10)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["module", "position"], name="lesson_position_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                condition=Q(video_url="") | Q(video_url__startswith="https://"),
                name="lesson_video_over_https",
                violation_error_message="The link to a video starts with https://.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="video", video_url=""),
                name="lesson_video_has_link",
                violation_error_message="A lesson with a video needs its link.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="file", file=""),
                name="lesson_file_has_file",
                violation_error_message="A lesson with a file needs the file.",
            ),
            # Files are served only to enrolled students, so a preview could not offer the download.
            models.CheckConstraint(
                condition=~Q(kind="file", is_free_preview=True),
                name="lesson_file_never_preview",
                violation_error_message="A lesson with a file cannot be a free preview.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class QuizQuestion(models.Model):
    """A question with one right choice."""

    lesson = models.ForeignKey(CourseLesson, on_delete=models.CASCADE, related_name="questions")
    position = models.PositiveSmallIntegerField()
    text = models.CharField("question", max_length=500)
    choices = ArrayField(models.CharField(max_length=200))
    right_choice = models.PositiveSmallIntegerField(help_text="Counted from 0.")
    explanation = models.CharField(max_length=500, blank=True, help_text="Shown after answering.")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["lesson", "position"], name="question_position_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(
                condition=Q(choices__len__gte=2, right_choice__lt=F("choices__len")),
                name="question_has_right_choice",
                violation_error_message="A question needs two choices or more, one of which is right.",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class EnrolmentQuerySet(models.QuerySet["Enrolment"]):
    def active(self) -> EnrolmentQuerySet:
        return self.filter(state=Enrolment.State.ACTIVE)

    def open_to_their_student(self, student_id: int) -> EnrolmentQuerySet:
        """Those of a student that are open now: bought, or begun with a plan that still opens the course."""
        by_plan = Q(opened_by_plan_at__isnull=False) & open_by_plan_to(student_id, "course__")
        return self.filter(Q(state=Enrolment.State.ACTIVE) | by_plan, student=student_id)


class Enrolment(models.Model):
    """A student's access to a course: being paid, active, or revoked. Changed only by `courses.holds`.

    There is one row per student and course, so the unique constraint decides between two orders.
    """

    class State(models.TextChoices):
        # An order was started but not paid. The row is kept, because a row that can be deleted cannot be locked.
        RELEASED = "released"
        HELD = "held"
        ACTIVE = "active"
        REVOKED = "revoked"

    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="enrolments")
    student = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="enrolments")
    state = models.CharField(max_length=8, choices=State, default=State.RELEASED)
    order_line_id = models.BigIntegerField(null=True, help_text="The order line that holds it or that delivered it.")
    held_until = models.DateTimeField(null=True)
    activated_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # When the student first opened it with a plan. Such a row keeps their progress, and needs no order.
    opened_by_plan_at = models.DateTimeField(null=True)
    # Refunded lines: delivering one of them again must change nothing, even after the course is bought again.
    ended_line_ids = ArrayField(models.BigIntegerField(), default=list)
    # Written by `courses.progress`. Ids of lessons that were deleted since stay in it and count for nothing.
    done_lesson_ids = ArrayField(models.BigIntegerField(), default=list, db_default=models.Value("{}"))

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["course", "student"], name="enrolment_once_per_student"),
            models.UniqueConstraint(fields=["order_line_id"], name="enrolment_once_per_line"),
            models.CheckConstraint(
                condition=Q(state="released")
                | Q(state="held", order_line_id__isnull=False, held_until__isnull=False)
                | Q(state="active", order_line_id__isnull=False, activated_at__isnull=False)
                | Q(state="revoked", revoked_at__isnull=False),
                name="enrolment_state_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["student", "state"], name="enrolment_of_student"),
            # For the list of the API, newest first.
            models.Index(fields=["student", "-activated_at"], name="enrolment_by_student"),
        ]

    def __str__(self) -> str:
        return f"{self.student}: {self.course}"
