"""How a reader opens a course: as its teacher, because they bought it, or with their plan; and what they use by plan."""

from __future__ import annotations

from dataclasses import dataclass

from courses.holds import open_by_plan
from courses.models import Course, CourseLesson, Enrolment
from courses.progress import mark_done
from subscriptions.access import subscription_opening_courses
from subscriptions.models import Subscription
from subscriptions.use import record_use


@dataclass(frozen=True, slots=True)
class Access:
    """A course that its reader may use. `enrolment` keeps their progress; the course's teacher has none.

    `subscription` is the one whose plan opens it, if they did not buy it.
    """

    course: Course
    enrolment: Enrolment | None = None
    subscription: Subscription | None = None

    def record_use(self, lesson: CourseLesson, *, is_finished: bool = False) -> None:
        """Count a lesson that is opened or finished with a plan, so that its teacher earns by use."""
        if self.subscription is not None:
            record_use(
                subscription_id=self.subscription.pk,
                teacher_id=self.course.teacher_id,
                item=f"course-lesson:{lesson.pk}",
                is_finished=is_finished,
            )


def access_to(course: Course, user_id: int) -> Access:
    """How a reader opens a course of `Course.objects.open_to`. Begins it if their plan opens it for the first time."""
    enrolment = Enrolment.objects.filter(course=course, student=user_id).first()
    if enrolment is not None and enrolment.state == Enrolment.State.ACTIVE:
        return Access(course, enrolment)
    if course.teacher.user_id == user_id:
        return Access(course)
    subscription = subscription_opening_courses(user_id)
    if enrolment is None or enrolment.opened_by_plan_at is None:
        enrolment = open_by_plan(course_id=course.pk, student_id=user_id)
    return Access(course, enrolment, subscription)


def finish_lesson(access: Access, lesson: CourseLesson) -> None:
    """Record that the student is done with a lesson, and count it if it is by plan. A repeat changes nothing."""
    if access.enrolment is not None and mark_done(enrolment=access.enrolment, lesson=lesson):
        access.record_use(lesson, is_finished=True)


def begun_by_plan(slug: str, user_id: int) -> Enrolment | None:
    """A course that a student began with a plan, whether or not it is open to them now; None for one closed for good."""
    begun = Enrolment.objects.filter(course__slug=slug, student=user_id, opened_by_plan_at__isnull=False)
    return begun.exclude(course__state=Course.State.CLOSED).select_related("course__teacher").first()
