"""How far a student is in a course: which lessons are done, and where to continue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Func, Value

from courses.models import CourseLesson, Enrolment


@dataclass(frozen=True, slots=True)
class Progress:
    """The lessons of a course in order, and the ids of those that are done."""

    lessons: Sequence[CourseLesson]
    done: frozenset[int]

    @property
    def done_count(self) -> int:
        return sum(lesson.pk in self.done for lesson in self.lessons)

    @property
    def is_complete(self) -> bool:
        return bool(self.lessons) and self.done_count == len(self.lessons)

    @property
    def next_lesson(self) -> CourseLesson | None:
        """Where to continue: the first lesson that is not done, or the first one of all."""
        return next((lesson for lesson in self.lessons if lesson.pk not in self.done), next(iter(self.lessons), None))


def progress_of(enrolment: Enrolment | None, lessons: Sequence[CourseLesson]) -> Progress:
    """The progress of an enrolment; None, as for the course's teacher, has none."""
    return Progress(lessons=lessons, done=frozenset(enrolment.done_lesson_ids if enrolment else []))


def mark_done(*, enrolment: Enrolment, lesson: CourseLesson) -> bool:
    """Record that the student is done with a lesson; False if it was done before.

    One statement, so that two tabs lose nothing.
    """
    not_yet = Enrolment.objects.filter(pk=enrolment.pk).exclude(done_lesson_ids__contains=[lesson.pk])
    return bool(not_yet.update(done_lesson_ids=Func(F("done_lesson_ids"), Value(lesson.pk), function="array_append")))
