"""Teachers write, order, publish and withdraw their own courses."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from accounts.tests.factories import TeacherFactory, UserFactory
from courses import authoring
from courses.models import Course, CourseLesson, CoursePrice, Module, QuizQuestion
from courses.tests.factories import draft_course, enrolled_student, long_draft, only_lesson, published_course
from money import Money

pytestmark = pytest.mark.django_db
COURSE = {"title": "Chess openings", "summary": "Twelve of them.", "language": "en", "price_gbp": "25.00"}
LESSON = {"title": "The Ruy Lopez", "body": "1. e4 e5", "minutes": "15"}
QUESTION = {"text": "Best reply?", "choices": "a6\r\n* Nf6\r\nf5"}


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


def picture(name="cover.png", size=(8, 5)):
    content = io.BytesIO()
    Image.new("RGB", size).save(content, "PNG")
    return SimpleUploadedFile(name, content.getvalue())


def test_a_teacher_writes_publishes_and_withdraws_a_course(client, teacher):
    more = {"price_jpy": "3000", "levels": ["beginner"], "outcomes": "Play e4\r\n\r\nPlay d4\r\n", "cover": picture()}
    answer = client.post(url("course_create"), COURSE | more)
    course = Course.objects.get()
    assert answer["Location"] == url("course_outline", course.pk)
    assert (course.teacher, course.slug, course.state) == (teacher, "chess-openings", Course.State.DRAFT)
    assert (course.outcomes, course.levels) == (["Play e4", "Play d4"], ["beginner"])
    assert {price.amount for price in course.prices.all()} == {Money(2_500, "GBP"), Money(3_000, "JPY")}
    assert course.cover.name.startswith("courses/covers/")
    assert "cover" not in course.cover.name.removeprefix("courses/covers/")

    client.post(url("module_add", course.pk), {"title": "Open games"})
    module = Module.objects.get()
    client.post(url("lesson_create", course.pk, module.pk, "text"), LESSON)
    client.post(url("lesson_create", course.pk, module.pk, "quiz"), LESSON | {"title": "Quiz"})
    quiz = CourseLesson.objects.get(kind="quiz")
    assert "has no question" in client.post(url("course_publish", course.pk), follow=True).content.decode()
    client.post(url("question_add", course.pk, quiz.pk), QUESTION)
    question = QuizQuestion.objects.get()
    assert (question.choices, question.right_choice) == (["a6", "Nf6", "f5"], 1)

    assert "for sale" in client.post(url("course_publish", course.pk), follow=True).content.decode()
    assert Client().get(reverse("courses:detail", args=[course.slug])).status_code == 200
    assert "keep it" in client.post(url("course_withdraw", course.pk), follow=True).content.decode()
    assert Client().get(reverse("courses:detail", args=[course.slug])).status_code == 404


def test_everything_can_be_edited_in_forms_with_the_stored_values(client, teacher):
    course = draft_course(teacher=teacher, outcomes=["One", "Two"], levels=["advanced"], prices=[Money(4_905, "GBP")])
    html = client.get(url("course_edit", course.pk)).content.decode()
    for text in ("Reading music", "49.05", "One\nTwo", 'value="advanced" id="id_levels_2" checked'):
        assert text in html
    client.post(url("course_edit", course.pk), COURSE)
    course.refresh_from_db()
    assert (course.title, course.slug, course.outcomes) == ("Chess openings", "reading-music", [])
    lesson = only_lesson(course)
    assert "Some **bold** words." in client.get(url("lesson_edit", course.pk, lesson.pk)).content.decode()
    client.post(url("lesson_edit", course.pk, lesson.pk), LESSON | {"is_free_preview": "on"})
    lesson.refresh_from_db()
    assert (lesson.title, lesson.minutes, lesson.is_free_preview) == ("The Ruy Lopez", 15, True)
    client.post(url("module_edit", course.pk, lesson.module_id), {"title": "Renamed"})
    assert Module.objects.get().title == "Renamed"


def test_a_cover_is_kept_until_it_is_removed(client, teacher):
    client.post(url("course_create"), COURSE | {"cover": picture()})
    course = Course.objects.get()
    client.post(url("course_edit", course.pk), COURSE)
    assert Course.objects.get().cover.name == course.cover.name
    client.post(url("course_edit", course.pk), COURSE | {"cover-clear": "on"})
    assert not Course.objects.get().cover


def test_buttons_move_modules_and_lessons(client, teacher):
    course = draft_course(teacher=teacher, lessons=2)
    authoring.add_module(course=course, title="Second")
    lesson = CourseLesson.objects.order_by("position").first()
    client.post(url("lesson_move", course.pk, lesson.pk), {"direction": "down"})
    assert CourseLesson.objects.get(pk=lesson.pk).position == 2
    client.post(url("module_move", course.pk, lesson.module_id), {"direction": "down"})
    assert [module.title for module in course.modules.all()] == ["Second", "Basics"]
    for direction in ("sideways", "", "\x00"):
        assert client.post(url("lesson_move", course.pk, lesson.pk), {"direction": direction}).status_code == 400
        assert client.post(url("module_move", course.pk, lesson.module_id), {}).status_code == 400


def test_deleting_asks_for_confirmation(client, teacher):
    course = draft_course(teacher=teacher, kinds=["quiz"])
    lesson = only_lesson(course)
    assert "Delete" in client.get(url("lesson_delete", course.pk, lesson.pk)).content.decode()
    assert client.get(url("module_delete", course.pk, lesson.module_id)).status_code == 200
    assert CourseLesson.objects.count() == 1
    client.post(url("question_delete", course.pk, lesson.pk, lesson.questions.get().pk))
    assert not QuizQuestion.objects.exists()
    client.post(url("lesson_delete", course.pk, lesson.pk))
    assert not CourseLesson.objects.exists()
    client.post(url("module_delete", course.pk, lesson.module_id))
    assert not Module.objects.exists()


def test_a_course_on_sale_cannot_lose_its_last_lesson_or_price(client, teacher):
    course = published_course(teacher=teacher)
    lesson = only_lesson(course)
    for address in (url("lesson_delete", course.pk, lesson.pk), url("module_delete", course.pk, lesson.module_id)):
        assert "must stay complete" in client.post(address, follow=True).content.decode()
    answer = client.post(url("course_edit", course.pk), COURSE | {"price_gbp": ""})
    assert "must stay complete" in answer.content.decode()
    assert CourseLesson.objects.exists()
    assert CoursePrice.objects.exists()
    assert Course.objects.get().title == "Reading music"


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\x00b"},
        {"summary": "x" * 301},
        {"language": "klingon"},
        {"levels": ["wizard"]},
        {"subject": "999999999999999999999999"},
        {"subject": "\x00"},
        {"outcomes": "\n".join("line" for _ in range(13))},
        {"outcomes": "x" * 201},
        {"price_gbp": "-1"},
        {"price_gbp": "0.29"},
        {"price_gbp": "10.001"},
        {"price_gbp": "1000000"},
        {"price_gbp": "NaN"},
        {"price_gbp": "Infinity"},
        {"price_gbp": "1e99999999"},
        {"price_gbp": "ten"},
        {"price_jpy": "100.5"},
        {"price_jpy": "49"},
        {"description": "x" * 100_001},
    ],
    ids=str,
)
def test_invalid_course_forms_show_an_error_and_change_nothing(client, teacher, wrong):
    answer = client.post(url("course_create"), COURSE | wrong)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Course.objects.exists()


def test_unknown_fields_are_ignored(client, teacher):
    other = TeacherFactory()
    forged = {"teacher": other.pk, "state": "published", "slug": "mine", "price_usd": "5", "price_": "x", "id": "1"}
    client.post(url("course_create"), COURSE | forged)
    course = Course.objects.get()
    assert (course.teacher, course.state, course.slug) == (teacher, Course.State.DRAFT, "chess-openings")
    assert [price.currency for price in course.prices.all()] == ["GBP"]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("text", {"body": ""}),
        ("text", {"title": ""}),
        ("text", {"minutes": "0"}),
        ("text", {"minutes": "999999999999999999999"}),
        ("text", {"minutes": "soon"}),
        ("text", {"body": "a\x00b"}),
        ("video", {}),
        ("video", {"video_url": "http://video.example.org/1"}),
        ("video", {"video_url": "javascript:alert(1)"}),
        ("video", {"video_url": "https://" + "x" * 600 + ".example"}),
        ("file", {}),
        ("file", {"file": "not a file"}),
    ],
    ids=str,
)
def test_invalid_lesson_forms_show_an_error_and_change_nothing(client, teacher, kind, wrong):
    course = draft_course(teacher=teacher, lessons=0)
    module = authoring.add_module(course=course, title="A")
    answer = client.post(url("lesson_create", course.pk, module.pk, kind), LESSON | wrong)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not CourseLesson.objects.exists()


@pytest.mark.parametrize(
    "choices",
    ["", "* one", "one\ntwo", "* one\n* two", "*\ntwo", "* one\none", "\n".join("* abcdefghij"), "*a\n" + "b" * 201],
)
def test_questions_need_several_different_choices_and_one_right_one(client, teacher, choices):
    course = draft_course(teacher=teacher, kinds=["quiz"])
    answer = client.post(url("question_add", course.pk, only_lesson(course).pk), {"text": "?", "choices": choices})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert QuizQuestion.objects.count() == 1


def test_only_quizzes_take_questions_and_unknown_kinds_are_a_404(client, teacher):
    course = draft_course(teacher=teacher)
    lesson = only_lesson(course)
    assert client.post(url("question_add", course.pk, lesson.pk), QUESTION).status_code == 404
    assert client.get(url("lesson_create", course.pk, lesson.module_id, "virus")).status_code == 404
    too_long = client.post(url("module_add", course.pk), {"title": "x" * 121}, follow=True)
    assert "at most 120" in too_long.content.decode()
    assert Module.objects.count() == 1


def test_the_desk_counts_lessons_and_active_enrolments(client, teacher):
    course = published_course(teacher=teacher, lessons=3)
    for _ in range(2):
        enrolled_student(course)
    published_course(title="Of another teacher")
    html = client.get(url("desk")).content.decode()
    assert '<td data-label="Lessons" class="table__number">3</td>' in html
    assert '<td data-label="Enrolled" class="table__number">2</td>' in html
    assert "Of another teacher" not in html


def test_the_desk_and_the_outline_take_as_many_queries_for_many_as_for_one(client, teacher):
    desk, outline = set(), set()
    for many in (1, 10, 100):
        course = long_draft(teacher=teacher, title=f"Course {many}", lessons=many)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url("desk")).status_code == 200
        desk.add(len(queries))
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url("course_outline", course.pk)).status_code == 200
        outline.add(len(queries))
    assert (len(desk), len(outline)) == (1, 1)


def test_a_teacher_without_courses_is_invited_to_write_one(client, teacher):
    assert "Write your first course" in client.get(url("desk")).content.decode()
    client.force_login(UserFactory())
    assert "no courses yet" in client.get(url("mine")).content.decode()
