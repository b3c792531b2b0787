"""Order and limits of modules and lessons, and the constraints of the database."""

import threading

import pytest
from django.core.files.base import ContentFile
from django.db import DataError, IntegrityError, connection, transaction

from accounts.tests.factories import TeacherFactory
from courses import authoring
from courses.models import CourseLesson, CoursePrice, Module, QuizQuestion
from courses.tests.factories import add_lesson, draft_course, only_lesson
from money import Money

pytestmark = pytest.mark.django_db


@pytest.fixture
def course():
    """Modules A with lessons 1 and 2, and B with lesson 3."""
    course = draft_course(lessons=0)
    for title, lessons in (("A", "12"), ("B", "3")):
        module = authoring.add_module(course=course, title=title)
        for number in lessons:
            add_lesson(module=module, title=number)
    return course


def outline(course):
    return {module.title: "".join(lesson.title for lesson in module.lessons.all()) for module in course.modules.all()}


def lesson(title):
    return CourseLesson.objects.get(title=title)


def test_modules_swap_with_their_neighbours_and_stop_at_the_ends(course):
    last = course.modules.last()
    authoring.move_module(module=last, direction="down")
    assert list(outline(course)) == ["A", "B"]
    authoring.move_module(module=last, direction="up")
    assert list(outline(course)) == ["B", "A"]


@pytest.mark.parametrize(
    ("moved", "direction", "expected"),
    [
        ("1", "down", {"A": "21", "B": "3"}),
        ("2", "up", {"A": "21", "B": "3"}),
        ("2", "down", {"A": "1", "B": "23"}),
        ("3", "up", {"A": "123", "B": ""}),
        ("1", "up", {"A": "12", "B": "3"}),
        ("3", "down", {"A": "12", "B": "3"}),
    ],
)
def test_lessons_move_also_across_modules(course, moved, direction, expected):
    authoring.move_lesson(lesson=lesson(moved), direction=direction)
    assert outline(course) == expected


def test_the_same_position_twice_is_refused_at_commit(course):
    @transaction.atomic
    def give_both_the_same_position():
        Module.objects.filter(course=course).update(position=7)
        connection.check_constraints()

    with pytest.raises(IntegrityError):
        give_both_the_same_position()


@pytest.mark.parametrize("title", ["Reading music", "!!!", "日本語", "a" * 120, "new", "-"])
def test_every_course_gets_a_unique_slug(title):
    teacher = TeacherFactory()
    slugs = {draft_course(teacher=teacher, title=title, lessons=0).slug for _ in range(3)}
    assert len(slugs) == 3
    assert all(slug and len(slug) <= 60 for slug in slugs)


def test_the_numbers_of_modules_lessons_and_questions_are_limited(course, monkeypatch):
    monkeypatch.setattr(authoring, "MODULES_AT_MOST", 2)
    monkeypatch.setattr(authoring, "LESSONS_AT_MOST", 3)
    monkeypatch.setattr(authoring, "QUESTIONS_AT_MOST", 0)
    with pytest.raises(authoring.TooMany):
        authoring.add_module(course=course, title="C")
    with pytest.raises(authoring.TooMany):
        add_lesson(module=course.modules.first())
    with pytest.raises(authoring.TooMany):
        authoring.add_question(lesson=lesson("1"), fields={})


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "video", "video_url": ""},
        {"kind": "video", "video_url": "javascript:alert(1)"},
        {"kind": "video", "video_url": "http://video.example.org/"},
        {"kind": "file", "file": ""},
        {"kind": "file", "is_free_preview": True},
    ],
)
def test_the_database_refuses_lessons_without_the_fields_of_their_kind(course, wrong):
    with pytest.raises(IntegrityError):
        add_lesson(module=course.modules.first(), **wrong)


@pytest.mark.parametrize(("choices", "right"), [([], 0), (["one"], 0), (["one", "two"], 2), (["one", "two"], -1)])
def test_the_database_refuses_questions_without_a_right_choice(course, choices, right):
    with pytest.raises(IntegrityError):
        QuizQuestion.objects.create(lesson=lesson("1"), position=1, text="?", choices=choices, right_choice=right)


@pytest.mark.parametrize("minor", [-1, 0, 100_000_000, 10**30])
def test_the_database_refuses_prices_that_cannot_be_charged(course, minor):
    with pytest.raises((IntegrityError, DataError)):
        CoursePrice.objects.create(course=course, currency="USD", amount_minor=minor)


def test_one_price_per_currency(course):
    with pytest.raises(IntegrityError), transaction.atomic():
        CoursePrice.objects.create(course=course, currency="GBP", amount_minor=5_000)
    authoring.change_course(course=course, prices=[Money(100, "GBP"), Money(100, "JPY")], changes={})
    assert {price.amount for price in course.prices.all()} == {Money(100, "GBP"), Money(100, "JPY")}


@pytest.mark.django_db(transaction=True)
def test_lessons_added_at_once_get_different_positions():
    course = draft_course(lessons=0)
    module = authoring.add_module(course=course, title="A")
    start, errors = threading.Barrier(6), []

    def add():
        try:
            start.wait(timeout=10)
            add_lesson(module=module)
        except Exception as error:  # noqa: BLE001  # shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(module.lessons.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_a_replaced_or_removed_file_is_deleted_only_after_commit(
    settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.PRIVATE_MEDIA_ROOT = tmp_path
    module = authoring.add_module(course=draft_course(lessons=0), title="A")
    stored = add_lesson(module=module, kind="file", file=ContentFile(b"%PDF-1", "Notes.pdf"), file_name="Notes.pdf")

    def names():
        return {path.name for path in tmp_path.rglob("*.pdf")}

    first = names()
    with django_capture_on_commit_callbacks(execute=True):
        authoring.change_lesson(lesson=stored, fields={"file": ContentFile(b"%PDF-2", "Notes.pdf")})
        assert first < names()
    assert len(names()) == 1
    assert names() != first
    with django_capture_on_commit_callbacks(execute=True):
        authoring.change_lesson(lesson=stored, fields={"title": "Other"})
    assert len(names()) == 1
    with django_capture_on_commit_callbacks(execute=True):
        authoring.delete_lesson(lesson=only_lesson(module.course))
        assert len(names()) == 1
    assert names() == set()
