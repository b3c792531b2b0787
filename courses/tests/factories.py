"""Courses for tests, made through the public functions, so that no test uses an impossible one."""

from datetime import timedelta
from itertools import count

from django.utils import timezone

from accounts.tests.factories import TeacherFactory, UserFactory
from courses import authoring, publishing
from courses.handler import CourseHandler
from courses.models import Course, CourseLesson, Enrolment
from money import Money
from payments.contracts import SoldLine

PRICES = (Money(4_900, "GBP"),)
_line_ids = count(1_000)


def draft_course(*, lessons=1, kinds=("text",), prices=PRICES, **fields):
    """A draft with one module. The lessons have the given kinds in order; the last kind is repeated."""
    fields = {"title": "Reading music", "summary": "From notes to songs.", **fields}
    course = authoring.create_course(teacher=fields.pop("teacher", None) or TeacherFactory(), prices=prices, **fields)
    if lessons:
        module = authoring.add_module(course=course, title="Basics")
        for number in range(lessons):
            add_lesson(module=module, title=f"Lesson {number + 1}", kind=kinds[min(number, len(kinds) - 1)])
    return course


def published_course(**fields):
    return publishing.publish_course(course_id=draft_course(**fields).pk)


def add_lesson(*, module, kind="text", **fields):
    """A lesson with the required fields of its kind; a quiz has one question, whose second choice is right."""
    content = {
        "text": {"body": "Some **bold** words."},
        "video": {"video_url": "https://video.example.org/1", "body": "Watch this."},
        "file": {"file": "courses/files/0123456789abcdef.pdf", "file_name": "Scales.pdf"},
        "quiz": {},
    }[kind]
    lesson = authoring.add_lesson(module=module, fields={"title": "A lesson", "kind": kind, **content, **fields})
    if kind == "quiz":
        authoring.add_question(
            lesson=lesson,
            fields={
                "text": "Which line is E?",
                "choices": ["Top", "Bottom"],
                "right_choice": 1,
                "explanation": "Every good boy…",
            },
        )
    return lesson


def long_draft(*, lessons, **fields):
    """A draft with its lessons in up to ten modules."""
    course = draft_course(lessons=0, **fields)
    modules = min(lessons, 10)
    for number in range(modules):
        module = authoring.add_module(course=course, title=f"Module {number + 1}")
        for _ in range(lessons // modules):
            add_lesson(module=module)
    return course


def only_lesson(course):
    return CourseLesson.objects.get(module__course=course)


def sold_line(course, student, **fields):
    """An order line for the course, as payments passes it to the handler."""
    return SoldLine(
        **{
            "id": next(_line_ids),
            "order_number": "L-1",
            "reference": str(course.pk),
            "quantity": 1,
            "details": {},
            "title": course.title,
            "description": "",
            "buyer_id": student.pk,
            "teacher_id": course.teacher_id,
            "amount": Money(4_900, "GBP"),
            "policy": {"full_refund_days": 14},
            **fields,
        }
    )


def soon():
    return timezone.now() + timedelta(minutes=30)


def enrolled_student(course, **fields):
    """A student who bought the course."""
    student = UserFactory(**fields)
    line = sold_line(course, student)
    CourseHandler().reserve(line, soon())
    CourseHandler().fulfil(line)
    return student


def enrolment_of(course: Course, student) -> Enrolment:
    return Enrolment.objects.get(course=course, student=student)
