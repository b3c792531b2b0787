"""Put courses on and off sale, and keep their listings in the catalogue up to date."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from catalogue.listings import ListingDraft, publish_listing, withdraw_listing
from courses import DOMAIN
from courses.holds import release_all_holds
from courses.models import Course, CourseLesson
from payments.cancellations.sales import cancel_all_sold, latest_cancellation
from payments.models import SaleCancellation


class CannotPublish(Exception):
    """The course is not ready. `reasons` are shown to the teacher."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


def lock_course(course_id: int) -> Course:
    """Lock a course. Every change to it or its parts takes this lock, so that its checks are still true at commit."""
    return Course.objects.select_for_update().get(pk=course_id)


def reasons_against_publishing(course: Course) -> list[str]:
    """What is missing before the course can be published, as messages to its teacher."""
    quizzes = CourseLesson.objects.filter(module__course=course, kind=CourseLesson.Kind.QUIZ, questions=None)
    return [
        *reasons_against_selling(course),
        *(f"The quiz “{title}” has no question." for title in quizzes.values_list("title", flat=True)),
    ]


def reasons_against_selling(course: Course) -> list[str]:
    """What must not be missing even from a published course. A quiz added later may still be without questions."""
    reasons = []
    if not CourseLesson.objects.filter(module__course=course).exists():
        reasons.append("Add at least one lesson.")
    if not course.prices.exists():
        reasons.append("Set a price in at least one currency.")
    return reasons


@transaction.atomic
def publish_course(*, course_id: int) -> Course:
    """Put a course on sale. Raises CannotPublish; publishing twice has no effect."""
    course = lock_course(course_id)
    if course.is_closed:
        raise CannotPublish(["It is closed for good. Make a new course instead."])
    reasons = reasons_against_publishing(course)
    if reasons:
        raise CannotPublish(reasons)
    if not course.is_published:
        course.state = Course.State.PUBLISHED
        course.published_at = timezone.now()
        course.save(update_fields=["state", "published_at"])
    refresh_listing(course)
    return course


@transaction.atomic
def withdraw_course(*, course_id: int) -> Course:
    """Take a course off sale. Its students keep it. A draft stays a draft."""
    course = lock_course(course_id)
    if course.is_published:
        course.state = Course.State.WITHDRAWN
        course.save(update_fields=["state"])
    refresh_listing(course)
    return course


@transaction.atomic
def close_course(*, course_id: int, reason: str, requested_by_id: int) -> SaleCancellation | None:
    """Take a course from everyone who has it, for good, and refund them in the background. None for a draft.

    A repeat returns the first cancellation. A payment that arrives later is refunded automatically: all holds end here,
    and without a hold only a published course is delivered, under this lock.
    """
    course = lock_course(course_id)
    if course.state == Course.State.DRAFT:
        return None
    before = latest_cancellation(domain=DOMAIN, reference=str(course.pk))
    if course.is_closed and before is not None:
        return before
    course.state = Course.State.CLOSED
    course.save(update_fields=["state"])
    refresh_listing(course)
    release_all_holds(course_id=course.pk)
    return cancel_all_sold(
        domain=DOMAIN,
        reference=str(course.pk),
        title=course.title,
        teacher_id=course.teacher_id,
        reason=reason,
        requested_by_id=requested_by_id,
    )


@transaction.atomic
def refresh_listing(course: Course) -> None:
    """Update the course's listing in the catalogue."""
    reference = str(course.pk)
    if not course.is_published:
        withdraw_listing(domain=DOMAIN, reference=reference)
        return
    publish_listing(
        ListingDraft(
            domain=DOMAIN,
            reference=reference,
            kind_label="Course",
            url=course.get_absolute_url(),
            title=course.title,
            summary=course.summary,
            teacher=course.teacher,
            prices=[price.amount for price in course.prices.all()],
            subject=course.subject,
            levels=course.levels,
            language=course.language,
            is_online=True,
            cover=course.cover.name or "",
            is_in_plans=course.is_in_plans,
            search_text=" ".join([course.description, *course.outcomes]),
        )
    )
