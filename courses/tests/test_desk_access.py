"""Every address of the desk for every role: no one can see or change another teacher's course."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory
from courses.models import Course, CourseLesson, CoursePrice, Module, QuizQuestion
from courses.tests.factories import draft_course, enrolled_student, only_lesson, published_course

pytestmark = pytest.mark.django_db
COURSE = {"title": "Chess openings", "summary": "Twelve of them.", "language": "en", "price_gbp": "25.00"}
LESSON = {"title": "The Ruy Lopez", "body": "1. e4 e5", "minutes": "15"}


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "private"
    settings.MEDIA_ROOT = str(tmp_path / "public")
    settings.CURRENCIES = ["GBP", "EUR", "JPY"]


@pytest.fixture
def teacher(client):
    teacher = TeacherFactory()
    client.force_login(teacher.user)
    return teacher


def url(name, *numbers):
    return reverse(f"courses:{name}", args=numbers)


def addresses_of(course):
    """Every address of the desk: (address, whether it allows GET, whether it allows POST)."""
    lesson = CourseLesson.objects.get(module__course=course)
    module, question = lesson.module, lesson.questions.get()
    only_course, of_module, of_lesson = [course.pk], [course.pk, module.pk], [course.pk, lesson.pk]
    return [
        *[(url(name, *only_course), get, post) for name, get, post in (
            ("course_outline", True, False), ("course_edit", True, True), ("course_publish", False, True),
            ("course_withdraw", True, True), ("module_add", False, True),
        )],
        *[(url(name, *of_module), get, True) for name, get in (
            ("module_edit", True), ("module_move", False), ("module_delete", True),
        )],
        (url("lesson_create", *of_module, "text"), True, True),
        *[(url(name, *of_lesson), get, True) for name, get in (
            ("lesson_edit", True), ("lesson_move", False), ("lesson_delete", True), ("question_add", False),
        )],
        (url("question_delete", *of_lesson, question.pk), True, True),
    ]  # fmt: skip


@pytest.fixture
def snapshot():
    def take():
        models = (Course, CoursePrice, Module, CourseLesson, QuizQuestion)
        return [list(model.objects.order_by("pk").values()) for model in models]

    return take


@pytest.mark.parametrize("role", ["guest", "student", "applicant", "suspended teacher", "another teacher"])
def test_another_teachers_desk_cannot_be_seen_or_changed(client, snapshot, role):
    course = published_course(kinds=["quiz"])
    student = enrolled_student(course)
    before = snapshot()
    person, expected = {
        "guest": (None, 302),
        "student": (student, 302),
        "applicant": (TeacherFactory(status=Teacher.Status.APPLIED).user, 302),
        "suspended teacher": (TeacherFactory(status=Teacher.Status.SUSPENDED).user, 403),
        "another teacher": (TeacherFactory().user, 404),
    }[role]
    if person:
        client.force_login(person)
    for address, answers_get, answers_post in addresses_of(course):
        if answers_post:
            assert client.post(address, COURSE | {"direction": "up"}).status_code == expected, address
        if answers_get:
            assert client.get(address).status_code == expected, address
    assert snapshot() == before


def test_parts_of_another_course_of_the_same_teacher_are_404(client, teacher, snapshot):
    course, other = draft_course(teacher=teacher, kinds=["quiz"]), draft_course(teacher=teacher, kinds=["quiz"])
    lesson, question = only_lesson(other), QuizQuestion.objects.get(lesson__module__course=other)
    own_lesson = only_lesson(course)
    before = snapshot()
    for address in (
        url("module_delete", course.pk, lesson.module_id),
        url("lesson_delete", course.pk, lesson.pk),
        url("question_delete", course.pk, own_lesson.pk, question.pk),
        url("lesson_create", course.pk, lesson.module_id, "text"),
        url("course_edit", 10**30),
        url("lesson_edit", course.pk, 10**30),
    ):
        assert client.post(address, LESSON).status_code == 404, address
    assert snapshot() == before


def test_get_requests_and_posts_without_a_csrf_token_change_nothing(client, teacher, snapshot):
    course = published_course(teacher=teacher, kinds=["quiz"])
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(teacher.user)
    before = snapshot()
    for address, answers_get, answers_post in addresses_of(course):
        assert client.get(address).status_code == (200 if answers_get else 405), address
        assert strict.post(address, COURSE).status_code == 403, address
        if not answers_post:
            assert client.post(address).status_code == 405
    assert snapshot() == before
