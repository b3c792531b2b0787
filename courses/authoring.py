"""Changes to courses. Every function locks the course, so that two tabs cannot leave its order inconsistent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.db import models, transaction
from django.db.models import Max
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from accounts.folding import fold
from accounts.models import Teacher
from courses.models import Course, CourseLesson, CoursePrice, Module, QuizQuestion
from courses.publishing import lock_course, reasons_against_selling, refresh_listing
from money import Money

Direction = Literal["up", "down"]
MODULES_AT_MOST = 100
LESSONS_AT_MOST = 300
QUESTIONS_AT_MOST = 100


class WouldBreakPublished(Exception):
    """The change would make a published course incomplete. The message is shown to the teacher.

    `about` names the incomplete part of the course: prices or modules.
    """

    def __init__(self, message: str, *, about: str) -> None:
        super().__init__(message)
        self.about = about


class TooMany(Exception):
    """The maximum number of modules, lessons or questions (`about`) is reached. The message is shown to the teacher."""

    def __init__(self, message: str, *, about: str) -> None:
        super().__init__(message)
        self.about = about


@transaction.atomic
def create_course(*, teacher: Teacher, prices: Sequence[Money] = (), **fields: Any) -> Course:
    """Create a draft. Its slug is made from the title and never changes."""
    stem = slugify(fold(fields["title"]))[:50].strip("-") or "course"
    slug = stem if not Course.objects.filter(slug=stem).exists() else f"{stem}-{get_random_string(6).lower()}"
    course = Course.objects.create(teacher=teacher, slug=slug, **fields)
    _set_prices(course, prices)
    return course


@transaction.atomic
def change_course(*, course: Course, prices: Sequence[Money], changes: Mapping[str, Any]) -> Course:
    """Change a course's texts and prices, and its listing if it is on sale. Raises WouldBreakPublished."""
    locked = lock_course(course.pk)
    for name, value in changes.items():
        setattr(locked, name, value)
    locked.save(update_fields=list(changes))
    _set_prices(locked, prices)
    _keep_sellable(locked)
    return locked


@transaction.atomic
def add_module(*, course: Course, title: str) -> Module:
    """Add a module at the end. Raises TooMany."""
    lock_course(course.pk)
    if course.modules.count() >= MODULES_AT_MOST:
        raise TooMany(f"A course has at most {MODULES_AT_MOST} modules.", about="modules")
    return Module.objects.create(course=course, title=title, position=_next_position(course.modules.all()))


@transaction.atomic
def rename_module(*, module: Module, title: str) -> None:
    lock_course(module.course_id)
    Module.objects.filter(pk=module.pk).update(title=title)


@transaction.atomic
def delete_module(*, module: Module) -> None:
    """Delete a module with its lessons. Raises WouldBreakPublished."""
    course = lock_course(module.course_id)
    Module.objects.filter(pk=module.pk).delete()
    _keep_sellable(course)


@transaction.atomic
def move_module(*, module: Module, direction: Direction) -> None:
    """Swap a module with its neighbour; the first and last do not move further."""
    course = lock_course(module.course_id)
    _swap_with_neighbour(list(course.modules.all()), module.pk, direction)


@transaction.atomic
def order_modules(*, course: Course, positions: Mapping[int, int]) -> None:
    """Move modules, by primary key, to these positions. The others make room, and all are numbered from 1."""
    lock_course(course.pk)
    _move_to_positions(course.modules.all(), positions)


@transaction.atomic
def add_lesson(*, module: Module, fields: Mapping[str, Any]) -> CourseLesson:
    """Add a lesson at the end of the module. Raises TooMany."""
    lock_course(module.course_id)
    if CourseLesson.objects.filter(module__course=module.course_id).count() >= LESSONS_AT_MOST:
        raise TooMany(f"A course has at most {LESSONS_AT_MOST} lessons.", about="lessons")
    return CourseLesson.objects.create(module=module, position=_next_position(module.lessons.all()), **fields)


@transaction.atomic
def change_lesson(*, lesson: CourseLesson, fields: Mapping[str, Any]) -> CourseLesson:
    lock_course(lesson.module.course_id)
    stored = CourseLesson.objects.select_for_update().get(pk=lesson.pk)
    for name, value in fields.items():
        setattr(stored, name, value)
    stored.save(update_fields=list(fields))
    return stored


@transaction.atomic
def delete_lesson(*, lesson: CourseLesson) -> None:
    """Delete a lesson. Raises WouldBreakPublished for the last lesson of a published course."""
    course = lock_course(lesson.module.course_id)
    CourseLesson.objects.filter(pk=lesson.pk).delete()
    _keep_sellable(course)


@transaction.atomic
def move_lesson(*, lesson: CourseLesson, direction: Direction) -> None:
    """Swap a lesson with its neighbour; the first and last of a module move to the adjacent module."""
    course = lock_course(lesson.module.course_id)
    lesson = CourseLesson.objects.select_related("module").get(pk=lesson.pk)
    if _swap_with_neighbour(list(lesson.module.lessons.all()), lesson.pk, direction):
        return
    modules = list(course.modules.all())
    neighbour = _neighbour(modules, lesson.module_id, direction)
    if neighbour is None:
        return
    if direction == "up":
        lesson.position = _next_position(neighbour.lessons.all())
    else:
        neighbour.lessons.update(position=models.F("position") + 1)
        lesson.position = 1
    lesson.module = neighbour
    lesson.save(update_fields=["module", "position"])


@transaction.atomic
def order_lessons(*, module: Module, positions: Mapping[int, int]) -> None:
    """Move lessons of one module as `order_modules` moves modules."""
    lock_course(module.course_id)
    _move_to_positions(module.lessons.all(), positions)


@transaction.atomic
def add_question(*, lesson: CourseLesson, fields: Mapping[str, Any]) -> QuizQuestion:
    """Add a question at the end of a quiz. Raises TooMany."""
    lock_course(lesson.module.course_id)
    if lesson.questions.count() >= QUESTIONS_AT_MOST:
        raise TooMany(f"A quiz has at most {QUESTIONS_AT_MOST} questions.", about="questions")
    return QuizQuestion.objects.create(lesson=lesson, position=_next_position(lesson.questions.all()), **fields)


@transaction.atomic
def change_question(*, question: QuizQuestion, fields: Mapping[str, Any]) -> QuizQuestion:
    lock_course(question.lesson.module.course_id)
    stored = QuizQuestion.objects.select_for_update().get(pk=question.pk)
    for name, value in fields.items():
        setattr(stored, name, value)
    stored.save(update_fields=list(fields))
    return stored


@transaction.atomic
def order_questions(*, lesson: CourseLesson, positions: Mapping[int, int]) -> None:
    """Move questions of one quiz as `order_modules` moves modules."""
    lock_course(lesson.module.course_id)
    _move_to_positions(lesson.questions.all(), positions)


@transaction.atomic
def delete_question(*, question: QuizQuestion) -> None:
    lock_course(question.lesson.module.course_id)
    QuizQuestion.objects.filter(pk=question.pk).delete()


def _set_prices(course: Course, prices: Sequence[Money]) -> None:
    course.prices.exclude(currency__in=[price.currency for price in prices]).delete()
    for price in prices:
        CoursePrice.objects.update_or_create(
            course=course, currency=price.currency, defaults={"amount_minor": price.minor}
        )


def _keep_sellable(course: Course) -> None:
    if course.is_published and (reasons := reasons_against_selling(course)):
        raise WouldBreakPublished(
            f"A published course must stay complete. {' '.join(reasons)} Or withdraw it first.",
            about="modules" if course.prices.exists() else "prices",
        )
    refresh_listing(course)


def _next_position(siblings: models.QuerySet[Any]) -> int:
    return (siblings.aggregate(last=Max("position"))["last"] or 0) + 1


def _neighbour(siblings: Sequence[Any], pk: int, direction: Direction) -> Any | None:
    places = [sibling.pk for sibling in siblings]
    if pk not in places:
        return None
    place = places.index(pk) + (-1 if direction == "up" else 1)
    return siblings[place] if 0 <= place < len(siblings) else None


def _swap_with_neighbour(siblings: Sequence[Any], pk: int, direction: Direction) -> bool:
    neighbour = _neighbour(siblings, pk, direction)
    if neighbour is None:
        return False
    moved = next(sibling for sibling in siblings if sibling.pk == pk)
    moved.position, neighbour.position = neighbour.position, moved.position
    for sibling in (moved, neighbour):
        sibling.save(update_fields=["position"])
    return True


def _move_to_positions(siblings: models.QuerySet[Any], positions: Mapping[int, int]) -> None:
    def place_of(sibling: Any) -> tuple[int, int]:
        position = positions.get(sibling.pk, sibling.position)
        # At a taken position, a row moved towards the front goes before the row there, one moved to the end after it.
        return position, (position > sibling.position) - (position < sibling.position)

    for number, sibling in enumerate(sorted(siblings, key=place_of), start=1):
        if sibling.position != number:
            sibling.position = number
            sibling.save(update_fields=["position"])
