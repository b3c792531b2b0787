"""The public pages of courses."""

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory
from courses.models import CourseLesson
from courses.publishing import publish_course, withdraw_course
from courses.tests.factories import draft_course, enrolled_student, long_draft, only_lesson, published_course
from money import Money

pytestmark = pytest.mark.django_db


def page(client, course, name="detail", *more):
    return client.get(reverse(f"courses:{name}", args=[course.slug, *more]))


def test_the_page_shows_outline_teacher_price_and_the_cart_button(client):
    course = published_course(
        lessons=3, prices=[Money(4_900, "GBP"), Money(9_000, "JPY")], outcomes=["Name any note"], levels=["beginner"]
    )
    html = page(client, course).content.decode()
    for text in ("Reading music", "£49.00", "Lesson 3", course.teacher.display_name, "Name any note"):
        assert text in html
    assert "¥9,000" not in html
    assert "Beginner" in html
    assert reverse("courses:put_in_cart", args=[course.slug]) in html


def test_a_teachers_markdown_is_sanitized(client):
    hostile = '<script>alert(1)</script> [x](javascript:alert(2)) **bold** <img src=x onerror="alert(3)">'
    course = published_course(description=hostile, title="<b>Tag</b>")
    html = page(client, course).content.decode()
    assert "<strong>bold</strong>" in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert "<img src=x" not in html
    assert "<b>Tag" not in html
    CourseLesson.objects.update(body=hostile, is_free_preview=True)
    html = page(client, course, "preview", only_lesson(course).pk).content.decode()
    assert "<strong>bold</strong>" in html
    assert "<script>alert" not in html


def test_only_their_teacher_can_see_drafts(client):
    course = draft_course()
    for visitor in (None, UserFactory(), TeacherFactory().user):
        if visitor:
            client.force_login(visitor)
        assert page(client, course).status_code == 404
        assert client.post(reverse("courses:put_in_cart", args=[course.slug])).status_code == 404
    client.force_login(course.teacher.user)
    answer = page(client, course)
    assert answer.status_code == 200
    assert "only you see this page" in answer.content.decode()
    assert "Add to cart" not in answer.content.decode()


def test_only_their_students_and_teacher_can_see_withdrawn_courses(client):
    course = published_course()
    student = enrolled_student(course)
    withdraw_course(course_id=course.pk)
    assert page(client, course).status_code == 404
    for visitor in (student, course.teacher.user):
        client.force_login(visitor)
        assert "no longer for sale" in page(client, course).content.decode()


def test_only_their_students_can_see_courses_of_a_suspended_teacher(client):
    course = published_course()
    student = enrolled_student(course)
    Teacher.objects.update(status=Teacher.Status.SUSPENDED)
    assert page(client, course).status_code == 404
    client.force_login(student)
    assert page(client, course).status_code == 200


def test_the_page_links_enrolled_students_to_the_course_instead_of_the_cart(client):
    course = published_course()
    client.force_login(enrolled_student(course))
    html = page(client, course).content.decode()
    assert reverse("courses:learn", args=[course.slug]) in html
    assert "Add to cart" not in html


def test_a_teacher_cannot_buy_their_own_course(client):
    course = published_course()
    client.force_login(course.teacher.user)
    assert "Add to cart" not in page(client, course).content.decode()
    answer = client.post(reverse("courses:put_in_cart", args=[course.slug]))
    assert answer["Location"] == course.get_absolute_url()
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["This is your own course."]


def test_guests_and_students_add_it_to_the_cart(client):
    course = published_course()
    for _ in range(2):
        answer = client.post(reverse("courses:put_in_cart", args=[course.slug]), {"price": "1", "quantity": "9"})
        assert answer["Location"] == reverse("payments:cart")
        client.force_login(UserFactory())


def test_a_course_that_is_in_the_cart_is_confirmed_and_not_offered_again(client):
    course = published_course()
    answer = client.post(reverse("courses:put_in_cart", args=[course.slug]))
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["“Reading music” is in your cart."]
    html = page(client, course).content.decode()
    assert "In your cart." in html
    assert "View cart" in html
    assert "Add to cart" not in html


def test_the_cart_shows_the_teacher_and_what_a_student_who_cancels_gets_back(client):
    course = published_course()
    client.post(reverse("courses:put_in_cart", args=[course.slug]))
    html = client.get(reverse("payments:cart")).content.decode()
    assert "Full refund within 14 days." in html
    assert f'With <span dir="auto">{course.teacher.display_name}</span>' in html


def test_only_free_previews_are_open_to_everyone(client):
    course = published_course(lessons=2)
    first, second = CourseLesson.objects.order_by("position")
    CourseLesson.objects.filter(pk=first.pk).update(is_free_preview=True)
    other = published_course()
    assert page(client, course, "preview", first.pk).status_code == 200
    assert page(client, course, "preview", second.pk).status_code == 404
    assert page(client, other, "preview", first.pk).status_code == 404
    assert page(client, course, "preview", 10**40).status_code == 404
    assert client.post(reverse("courses:preview_answers", args=[course.slug, second.pk])).status_code == 404


def test_a_preview_of_a_draft_is_invisible(client):
    course = draft_course()
    CourseLesson.objects.update(is_free_preview=True)
    assert page(client, course, "preview", only_lesson(course).pk).status_code == 404


def test_a_preview_quiz_is_marked_for_guests(client):
    course = published_course(kinds=["quiz"])
    CourseLesson.objects.update(is_free_preview=True)
    lesson = only_lesson(course)
    url = reverse("courses:preview_answers", args=[course.slug, lesson.pk])
    answer = client.post(url, {f"question-{lesson.questions.get().pk}": "1"})
    assert "1 of 1 right" in answer.content.decode()
    assert client.get(url).status_code == 405


@pytest.mark.parametrize("slug", ["no-such", "%00", "..%2f..%2fetc", "a" * 300, "%F0%9F%8E%B5"])
def test_unknown_slugs_are_404(client, slug):
    assert client.get(f"/courses/{slug}/").status_code == 404


def test_the_page_takes_as_many_queries_for_a_hundred_lessons_as_for_one(client):
    counts = set()
    for lessons in (1, 10, 100):
        course = long_draft(lessons=lessons)
        publish_course(course_id=course.pk)
        with CaptureQueriesContext(connection) as queries:
            assert page(client, course).status_code == 200
        counts.add(len(queries))
    assert len(counts) == 1
