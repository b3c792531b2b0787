"""How far a student is in a course, as its pages show it."""

import pytest

from courses.models import CourseLesson, Enrolment
from courses.progress import mark_done, progress_of
from courses.tests.factories import enrolled_student, enrolment_of, published_course
from tests.market import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def course():
    return published_course(lessons=3)


@pytest.fixture
def lessons(course):
    return list(CourseLesson.objects.filter(module__course=course).order_by("module__position", "position"))


def finish(client, course, lesson):
    return client.post(f"/my/courses/{course.slug}/{lesson.pk}/done/")


def test_the_course_says_how_much_is_done_and_continues_where_the_student_stopped(course, lessons):
    client = signed_in(enrolled_student(course))
    address = f"/my/courses/{course.slug}/"
    assert f"Start with “<bdi>{lessons[0].title}</bdi>”" in client.get(address).content.decode()
    assert finish(client, course, lessons[0]).headers["Location"] == f"{address}{lessons[1].pk}/"
    page = client.get(address).content.decode()
    assert "1 of 3 lessons done" in page
    assert f"Continue with “<bdi>{lessons[1].title}</bdi>”" in page
    assert page.count(">Done</span>") == 1
    assert "1 of 3 lessons done" in client.get("/my/courses/").content.decode()
    for lesson in lessons[1:]:
        last = finish(client, course, lesson)
    assert last.headers["Location"] == address
    assert "3 of 3 lessons done" in client.get(address).content.decode()


def test_a_lesson_is_done_once_however_often_it_is_sent(course, lessons):
    student = enrolled_student(course)
    for _ in range(2):
        finish(signed_in(student), course, lessons[1])
    assert enrolment_of(course, student).done_lesson_ids == [lessons[1].pk]


def test_two_tabs_lose_nothing(course, lessons):
    enrolment = enrolment_of(course, enrolled_student(course))
    stale = Enrolment.objects.get(pk=enrolment.pk)
    mark_done(enrolment=enrolment, lesson=lessons[0])
    mark_done(enrolment=stale, lesson=lessons[2])
    enrolment.refresh_from_db()
    progress = progress_of(enrolment, lessons)
    assert (progress.done_count, progress.next_lesson) == (2, lessons[1])


def test_lessons_that_were_deleted_count_for_nothing(course, lessons):
    enrolment = enrolment_of(course, enrolled_student(course))
    for lesson in lessons:
        mark_done(enrolment=enrolment, lesson=lesson)
    enrolment.refresh_from_db()
    assert progress_of(enrolment, lessons[:2]).done_count == 2
    assert progress_of(enrolment, []).next_lesson is None


def test_the_teacher_reads_without_progress(course, lessons):
    client = signed_in(course.teacher.user)
    assert "lessons done" not in client.get(f"/my/courses/{course.slug}/").content.decode()
    assert finish(client, course, lessons[0]).status_code == 302
    assert not Enrolment.objects.exclude(done_lesson_ids=[]).exists()
