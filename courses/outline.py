"""A course's modules and lessons in order, for pages."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Prefetch

from courses.models import Course, CourseLesson, Module

_MINUTES_AN_HOUR = 60


@dataclass(frozen=True, slots=True)
class Outline:
    """Modules with their lessons prefetched. The lessons are loaded without their bodies, which lists do not show."""

    modules: list[Module]
    lessons: list[CourseLesson]

    @property
    def first(self) -> CourseLesson | None:
        return self.lessons[0] if self.lessons else None

    @property
    def previews(self) -> list[CourseLesson]:
        return [lesson for lesson in self.lessons if lesson.is_free_preview]

    @property
    def duration(self) -> str:
        """The length of all lessons: 45 min, 2 h, 3 h 20 min."""
        hours, minutes = divmod(sum(lesson.minutes for lesson in self.lessons), _MINUTES_AN_HOUR)
        return " ".join(part for part in (hours and f"{hours} h", minutes and f"{minutes} min") if part) or "0 min"

    def around(self, lesson: CourseLesson) -> tuple[CourseLesson | None, CourseLesson | None]:
        """The previous and the next lesson, across modules."""
        place = [other.pk for other in self.lessons].index(lesson.pk)
        before = self.lessons[place - 1] if place else None
        return before, next(iter(self.lessons[place + 1 :]), None)


def outline_of(course: Course) -> Outline:
    """The outline of a course, in two queries."""
    lessons = Prefetch("lessons", CourseLesson.objects.defer("body"))
    modules = list(course.modules.prefetch_related(lessons))
    return Outline(modules=modules, lessons=[lesson for module in modules for lesson in module.lessons.all()])
