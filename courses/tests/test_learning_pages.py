"""Who may open the learning pages, and what they show."""

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import TeacherFactory, UserFactory
from courses import authoring
from courses.handler import CourseHandler
from courses.models import CourseLesson, Enrolment
from courses.publishing import publish_course, withdraw_course
from courses.tests.factories import (
    add_lesson,
    enrolled_student,
    long_draft,
    only_lesson,
    published_course,
    sold_line,
    soon,
)
from notifications.models import Alert

pytestmark = pytest.mark.django_db
selling = CourseHandler()


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path


@pytest.fixture
def course():
    """A course on sale with a lesson of each kind; its file has five bytes."""
    course = published_course(lessons=4, kinds=["text", "video", "file", "quiz"])
    lesson = CourseLesson.objects.get(kind="file")
    authoring.change_lesson(lesson=lesson, fields={"file": ContentFile(b"%PDF-", "x.pdf"), "file_name": "Noten ä.pdf"})
    return course


def url(name, course, *more):
    return reverse(f"courses:{name}", args=[course.slug, *more])


def lesson_of(course, kind):
    return CourseLesson.objects.get(module__course=course, kind=kind)


def pages_of(course):
    return [
        reverse("courses:open", args=[course.pk]),
        url("learn", course),
        *[url("lesson", course, lesson.pk) for lesson in CourseLesson.objects.all()],
        url("lesson_file", course, lesson_of(course, "file").pk),
    ]


def test_guests_are_sent_to_sign_in_from_every_page(client, course):
    for address in [*pages_of(course), reverse("courses:mine")]:
        answer = client.get(address)
        assert (answer.status_code, answer["Location"]) == (302, f"{reverse('account_login')}?next={address}")


@pytest.mark.parametrize("role", ["stranger", "teacher of another course", "held", "released", "revoked"])
def test_every_page_is_a_404_for_people_without_the_course(client, course, role):
    person = TeacherFactory().user if "teacher" in role else UserFactory()
    line = sold_line(course, person)
    if role in ("held", "released", "revoked"):
        selling.reserve(line, soon())
    if role == "released":
        selling.release(line)
    if role == "revoked":
        selling.fulfil(line)
        selling.revoke(line, line.quantity, "refunded")
    client.force_login(person)
    assert {client.get(address).status_code for address in pages_of(course)} == {404}
    assert client.post(url("lesson_answers", course, lesson_of(course, "quiz").pk)).status_code == 404


@pytest.mark.parametrize("role", ["student", "student of a withdrawn course", "its teacher"])
def test_students_and_the_teacher_can_open_every_page(client, course, role):
    person = course.teacher.user if "teacher" in role else enrolled_student(course)
    if "withdrawn" in role:
        withdraw_course(course_id=course.pk)
    client.force_login(person)
    for address in pages_of(course):
        answer = client.get(address, follow=True)
        assert answer.status_code == 200, address
        if answer.streaming:
            assert list(answer.streaming_content) == [b"%PDF-"]


def test_a_file_is_served_as_a_download_with_safe_type_and_without_caching(client, course):
    client.force_login(enrolled_student(course))
    answer = client.get(url("lesson_file", course, lesson_of(course, "file").pk))
    assert b"".join(answer.streaming_content) == b"%PDF-"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert "Noten%20%C3%A4.pdf" in answer["Content-Disposition"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Cache-Control"] == "private, no-store"


def test_files_have_no_public_address(client, course, settings):
    stored = lesson_of(course, "file").file
    with pytest.raises(ValueError, match="not accessible via a URL"):
        stored.url  # noqa: B018  # reading it is the test
    assert not str(settings.PRIVATE_MEDIA_ROOT).startswith(str(settings.MEDIA_ROOT))
    assert client.get(f"/media/{stored.name}").status_code == 404


def test_a_missing_file_is_a_404_and_alerts_staff(client, course):
    stored = lesson_of(course, "file")
    stored.file.storage.delete(stored.file.name)
    client.force_login(enrolled_student(course))
    assert client.get(url("lesson_file", course, stored.pk)).status_code == 404
    assert Alert.objects.get().key == f"course-file:{stored.pk}"


def test_lessons_of_another_course_and_wrong_ids_are_404(client, course):
    other = published_course()
    client.force_login(enrolled_student(course))
    foreign = only_lesson(other).pk
    for address in (
        url("lesson", course, foreign),
        url("lesson_file", course, foreign),
        url("lesson_file", course, lesson_of(course, "text").pk),
        url("lesson", course, 10**30),
        reverse("courses:open", args=[10**30]),
        "/my/courses/%00/",
        f"/my/courses/{course.slug}/-1/",
        f"/my/courses/{course.slug}/1e3/",
    ):
        assert client.get(address).status_code == 404, address


def test_lessons_link_to_the_previous_and_next_across_modules(client, course):
    text = lesson_of(course, "text")
    second = add_lesson(module=authoring.add_module(course=course, title="More"), title="Across")
    client.force_login(enrolled_student(course))
    last_of_first = lesson_of(course, "quiz")
    html = client.get(url("lesson", course, last_of_first.pk)).content.decode()
    assert "Done, next: <bdi>Across</bdi>" in html
    done = client.post(url("lesson_done", course, last_of_first.pk))
    assert done.headers["Location"] == url("lesson", course, second.pk)
    assert f'rel="prev" href="{url("lesson", course, lesson_of(course, "file").pk)}"' in html
    assert "Done, next" not in client.get(url("lesson", course, second.pk)).content.decode()
    first = client.get(url("lesson", course, text.pk)).content.decode()
    assert 'rel="prev"' not in first


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("1", "1 of 1 right"),
        ("0", "Not right"),
        (None, "Not answered"),
        ("7", "Not answered"),
        ("\x00", "Not answered"),
    ],
)
def test_a_quiz_is_marked_and_nothing_is_stored(client, course, answer, says):
    quiz = lesson_of(course, "quiz")
    client.force_login(enrolled_student(course))
    data = {f"question-{quiz.questions.get().pk}": answer} if answer is not None else {"x": "y"}
    before = Enrolment.objects.values().get()
    page = client.post(url("lesson_answers", course, quiz.pk), data)
    assert page.status_code == 200
    assert says in page.content.decode()
    assert ("Every good boy" in page.content.decode()) == (answer in ("0", "1"))
    assert Enrolment.objects.values().get() == before


def test_unanswered_quizzes_do_not_reveal_the_answers(client, course):
    client.force_login(enrolled_student(course))
    html = client.get(url("lesson", course, lesson_of(course, "quiz").pk)).content.decode()
    assert "Bottom" in html
    assert "Every good boy" not in html
    assert "checked" not in html


def test_answers_need_a_post_with_a_csrf_token(course):
    client = Client(enforce_csrf_checks=True)
    client.force_login(enrolled_student(course))
    address = url("lesson_answers", course, lesson_of(course, "quiz").pk)
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 403


def test_my_courses_lists_only_active_enrolments_of_the_student(client, course):
    student = enrolled_student(course)
    held, revoked = published_course(title="Held one"), published_course(title="Revoked one")
    selling.reserve(sold_line(held, student), soon())
    line = sold_line(revoked, student)
    selling.fulfil(line)
    selling.revoke(line, line.quantity, "refunded")
    enrolled_student(published_course(title="Of another student"))
    client.force_login(student)
    html = client.get(reverse("courses:mine")).content.decode()
    assert course.title in html
    assert "4 lessons" in html
    for title in ("Held one", "Revoked one", "Of another student"):
        assert title not in html


@pytest.mark.parametrize("name", ["learn", "lesson"])
def test_learning_takes_as_many_queries_for_a_hundred_lessons_as_for_one(client, name):
    student, counts = UserFactory(), set()
    client.force_login(student)
    for lessons in (1, 10, 100):
        course = long_draft(lessons=lessons)
        publish_course(course_id=course.pk)
        selling.fulfil(sold_line(course, student))
        more = [course.modules.first().lessons.first().pk] if name == "lesson" else []
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url(name, course, *more)).status_code == 200
        counts.add(len(queries))
    assert len(counts) == 1


def test_my_courses_takes_as_many_queries_for_ten_as_for_one(client):
    student, counts = UserFactory(), set()
    client.force_login(student)
    for number in range(10):
        selling.fulfil(sold_line(published_course(title=f"Course {number}"), student))
        if number in (0, 9):
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse("courses:mine"))
            counts.add(len(queries))
    assert len(counts) == 1
