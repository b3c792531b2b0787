"""Staff's changes in the admin use the same functions as teachers': under the course's lock, within its limits."""

from contextlib import contextmanager

import pytest
from django.db import connection
from django.urls import reverse

from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.models import Listing
from courses import authoring
from courses.models import Course, CourseLesson, QuizQuestion
from courses.tests.factories import add_lesson, draft_course, only_lesson, published_course

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(client, settings):
    settings.STAFF_NEEDS_MFA = False
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    client.raise_request_exception = False


def change_page(row):
    return reverse(f"admin:courses_{row._meta.model_name}_change", args=[row.pk])


def table(prefix, rows, names, parent, added=()):
    """The form data of inline rows: stored rows with their values, and added ones."""
    sent = {f"{prefix}-TOTAL_FORMS": len(rows) + len(added), f"{prefix}-INITIAL_FORMS": len(rows)}
    for number, row in enumerate(rows):
        sent |= {f"{prefix}-{number}-id": row.pk, f"{prefix}-{number}-{parent[0]}": parent[1].pk}
        sent |= {f"{prefix}-{number}-{name}": sent_value(getattr(row, name)) for name in names}
    for number, values in enumerate(added, start=len(rows)):
        sent[f"{prefix}-{number}-{parent[0]}"] = parent[1].pk
        sent |= {f"{prefix}-{number}-{name}": value for name, value in values.items()}
    return {name: value for name, value in sent.items() if value is not False}


def sent_value(value):
    return "\n".join(value) if isinstance(value, list) else value


def fields_of_course(course, *, modules=(), **changes):
    return {
        "title": course.title, "summary": course.summary, "description": "", "outcomes": "", "levels": "",
        "language": "en", "subject": "",
        **table("prices", course.prices.all(), ["currency", "amount_minor"], ("course", course)),
        **{f"prices-{number}-amount_minor": price.amount.to_major() for number, price in enumerate(course.prices.all())},
        **table("modules", course.modules.all(), ["title", "position"], ("course", course), modules),
    } | changes  # fmt: skip


def fields_of_module(module, **changes):
    names = ["position", "title", "minutes", "is_free_preview"]
    return {
        "title": module.title,
        "position": module.position,
        **table("lessons", module.lessons.all(), names, ("module", module)),
    } | changes


def fields_of_lesson(lesson, *, questions=(), **changes):
    names = ["position", "text", "choices", "right_choice", "explanation"]
    return {
        "title": lesson.title, "position": lesson.position, "body": lesson.body, "video_url": lesson.video_url,
        "minutes": lesson.minutes,
        **table("questions", lesson.questions.all(), names, ("lesson", lesson), questions),
    } | changes  # fmt: skip


QUESTION = {"position": 1, "text": "Which line is D?", "choices": "Second\nFourth", "right_choice": 1}


def post(client, row, data):
    answer = client.post(change_page(row), data)
    assert answer.status_code == 302, answer.context["errors"] if answer.context else answer.status_code


@contextmanager
def locked_elsewhere(course):
    """Lock the course in another connection, as a teacher's change does."""
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT 1 FROM courses_course WHERE id = %s FOR UPDATE", [course.pk])
    try:
        yield
    finally:
        other.rollback()
        other.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda course, lesson: (course, fields_of_course(course, **{"modules-0-title": "New"})),
        lambda course, lesson: (lesson.module, fields_of_module(lesson.module, title="New")),
        lambda course, lesson: (lesson.module, fields_of_module(lesson.module, **{"lessons-0-title": "New"})),
        lambda course, lesson: (lesson, fields_of_lesson(lesson, title="New")),
        lambda course, lesson: (lesson, fields_of_lesson(lesson, **{"questions-0-text": "New"})),
        lambda course, lesson: (lesson, fields_of_lesson(lesson, **{"questions-0-DELETE": "on"})),
        lambda course, lesson: (lesson, fields_of_lesson(lesson, questions=[QUESTION])),
    ],
)
def test_staff_wait_for_the_lock_of_the_course(client, change):
    course = published_course(kinds=["quiz"])
    row, data = change(course, only_lesson(course))
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
    with locked_elsewhere(course):
        assert client.post(change_page(row), data).status_code == 503
    post(client, row, data)
    connection.close()


def titles(rows):
    return [(row.title, row.position) for row in rows.all()]


@pytest.mark.parametrize(
    ("typed", "order"),
    [
        ({"0": 2, "1": 1}, "BAC"),
        ({"2": 1}, "CAB"),
        ({"0": 3}, "BCA"),
        ({"0": 99}, "BCA"),
        ({"1": 0}, "BAC"),
        ({"0": 2, "1": 3, "2": 1}, "CAB"),
    ],
)
def test_modules_lessons_and_questions_move_to_the_entered_position(client, typed, order):
    course = draft_course(lessons=0)
    modules = [authoring.add_module(course=course, title=title) for title in "ABC"]
    lessons = [add_lesson(module=modules[0], title=title, kind="quiz") for title in "ABC"]
    QuizQuestion.objects.all().delete()
    for title in "ABC":
        question = {"text": title, "choices": ["1", "2"], "right_choice": 0}
        authoring.add_question(lesson=lessons[0], fields=question)
    expected = [(title, number) for number, title in enumerate(order, start=1)]

    def moves(prefix):
        return {f"{prefix}-{row}-position": position for row, position in typed.items()}

    post(client, lessons[0], fields_of_lesson(lessons[0], **moves("questions")))
    assert [(question.text, question.position) for question in lessons[0].questions.all()] == expected
    post(client, modules[0], fields_of_module(modules[0], **moves("lessons")))
    assert titles(modules[0].lessons) == expected
    post(client, course, fields_of_course(course, **moves("modules")))
    assert titles(course.modules) == expected


def test_a_module_and_a_lesson_can_be_moved_on_their_own_pages(client):
    course = draft_course(lessons=2)
    authoring.add_module(course=course, title="More")
    first, second = CourseLesson.objects.order_by("position")
    post(client, second, fields_of_lesson(second, position=1))
    assert titles(first.module.lessons) == [("Lesson 2", 1), ("Lesson 1", 2)]
    post(client, first.module, fields_of_module(first.module, position=2, title="Basics again"))
    assert titles(course.modules) == [("More", 1), ("Basics again", 2)]


def test_staff_add_change_and_delete_questions_of_a_quiz(client):
    lesson = only_lesson(draft_course(kinds=["quiz"]))
    post(client, lesson, fields_of_lesson(lesson, questions=[QUESTION], **{"questions-0-choices": "Top\nBottom\nNone"}))
    assert list(lesson.questions.values_list("text", "position", "choices")) == [
        ("Which line is D?", 1, ["Second", "Fourth"]),
        ("Which line is E?", 2, ["Top", "Bottom", "None"]),
    ]
    post(client, lesson, fields_of_lesson(lesson, **{"questions-0-DELETE": "on"}))
    assert [question.text for question in lesson.questions.all()] == ["Which line is E?"]


def test_only_a_quiz_has_questions(client):
    lesson = only_lesson(draft_course())
    post(client, lesson, fields_of_lesson(lesson, questions=[QUESTION]))
    assert not QuizQuestion.objects.exists()


def test_limits_are_reported_in_the_form_with_the_values_entered(client, monkeypatch):
    monkeypatch.setattr(authoring, "QUESTIONS_AT_MOST", 1)
    monkeypatch.setattr(authoring, "MODULES_AT_MOST", 1)
    course = draft_course(kinds=["quiz"])
    lesson = only_lesson(course)
    for row, data, limit, typed in (
        (lesson, fields_of_lesson(lesson, title="New", questions=[QUESTION]), "1 questions", "Which line is D?"),
        (
            course,
            fields_of_course(course, title="New", modules=[{"title": "More", "position": 2}]),
            "1 modules",
            "More",
        ),
    ):
        answer = client.post(change_page(row), data)
        [refused] = [
            str(shown.formset.non_form_errors())
            for shown in answer.context["inline_admin_formsets"]
            if shown.formset.non_form_errors()
        ]
        assert limit in refused
        assert typed in answer.content.decode()
        row.refresh_from_db()
        assert row.title != "New"


def test_a_refused_course_is_shown_again_with_the_values_entered(client):
    course = published_course()
    data = fields_of_course(
        course, title="Typed with care", **{"prices-0-DELETE": "on", "modules-0-title": "Typed too"}
    )
    answer = client.post(change_page(course), data)
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Typed with care" in shown
    assert "Typed too" in shown
    prices, modules = answer.context["inline_admin_formsets"]
    assert "A published course must stay complete. Set a price" in str(prices.formset.non_form_errors())
    assert not modules.formset.non_form_errors()
    assert not answer.context["adminform"].form.errors
    assert shown.count("A published course must stay complete") == 1
    course.refresh_from_db()
    assert (course.title, course.prices.count(), course.modules.get().title) == ("Reading music", 1, "Basics")
    assert Listing.objects.get().title == "Reading music"


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        ("video", {"video_url": ""}, "video_url"),
        ("text", {"body": ""}, "body"),
        ("file", {"is_free_preview": "on"}, "is_free_preview"),
    ],
)
def test_a_lesson_cannot_lose_the_fields_its_kind_needs(client, kind, changes, field):
    lesson = only_lesson(draft_course(kinds=[kind]))
    answer = client.post(change_page(lesson), fields_of_lesson(lesson, **changes))
    assert list(answer.context["adminform"].form.errors) == [field]


def test_a_file_cannot_be_made_a_free_preview_on_its_modules_page(client):
    lesson = only_lesson(draft_course(kinds=["file"]))
    changes = {"lessons-0-is_free_preview": "on"}
    answer = client.post(change_page(lesson.module), fields_of_module(lesson.module, **changes))
    [lessons] = answer.context["inline_admin_formsets"]
    assert list(lessons.formset.forms[0].errors) == ["is_free_preview"]


def test_staff_add_a_course_as_teachers_do(client):
    teacher = TeacherFactory()
    empty = Course(title="", summary="")
    data = fields_of_course(draft_course(lessons=0)) | {
        "title": "Harmony", "teacher": teacher.pk,
        **table("prices", [], [], ("course", empty), [{"currency": "GBP", "amount_minor": "5,00"}]),
        **table("modules", [], [], ("course", empty), [{"title": "Second", "position": 2}, {"title": "First", "position": 1}]),
    }  # fmt: skip
    data = {name: "" if value is None else value for name, value in data.items()}
    answer = client.post(reverse("admin:courses_course_add"), data)
    assert answer.status_code == 302, answer.context["errors"]
    course = Course.objects.get(title="Harmony")
    assert (course.teacher, course.slug, course.prices.get().amount_minor) == (teacher, "harmony", 500)
    assert titles(course.modules) == [("First", 1), ("Second", 2)]


def test_texts_with_commas_stay_whole(client):
    course = published_course()
    course.outcomes = ["Mix flour, water and salt"]
    course.save()
    quiz = add_lesson(module=course.modules.get(), kind="quiz")
    quiz.questions.update(choices=["Yes, always", "No, never"], right_choice=1)
    page = client.get(change_page(course))
    assert "Mix flour, water and salt" in page.content.decode()
    post(client, course, fields_of_course(course, outcomes="Mix flour, water and salt\r\nKnead, fold, rest\r\n"))
    post(client, quiz, fields_of_lesson(quiz))
    course.refresh_from_db()
    assert course.outcomes == ["Mix flour, water and salt", "Knead, fold, rest"]
    question = quiz.questions.get()
    assert (question.choices, question.right_choice) == (["Yes, always", "No, never"], 1)


def test_too_many_outcomes_are_refused_at_their_field(client):
    course = published_course()
    answer = client.post(change_page(course), fields_of_course(course, outcomes="\n".join("x" * 51)))
    assert "at most" in str(answer.context["adminform"].form.errors["outcomes"])


@pytest.mark.parametrize(
    ("choices", "right", "field"), [("Top", 0, "choices"), ("Top\nBottom", 2, "right_choice"), ("", 0, "choices")]
)
def test_a_question_without_a_right_choice_is_refused_at_its_field(client, choices, right, field):
    lesson = only_lesson(draft_course(kinds=["quiz"]))
    sent = fields_of_lesson(lesson, **{"questions-0-choices": choices, "questions-0-right_choice": right})
    [questions] = client.post(change_page(lesson), sent).context["inline_admin_formsets"]
    assert field in questions.formset.errors[0]
    assert lesson.questions.get().choices == ["Top", "Bottom"]
