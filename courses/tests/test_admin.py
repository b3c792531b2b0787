"""Admin pages open, update the catalogue, and cannot give or revoke access to a course."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.tests.factories import TeacherFactory, UserFactory
from catalogue.models import Listing
from courses.models import Course, CourseLesson, Enrolment, Module
from courses.tests.factories import draft_course, enrolled_student, only_lesson, published_course

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(client, settings):
    settings.STAFF_NEEDS_MFA = False
    staff = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(staff)
    return staff


def page(name, *numbers):
    return reverse(f"admin:courses_{name}", args=numbers)


def test_every_admin_list_and_page_opens(client):
    course = published_course(kinds=["quiz"])
    enrolled_student(course)
    lesson = only_lesson(course)
    for name, pk in (
        ("course", course.pk),
        ("module", lesson.module_id),
        ("courselesson", lesson.pk),
        ("enrolment", Enrolment.objects.get().pk),
    ):
        assert client.get(page(f"{name}_changelist"), {"q": "reading"}).status_code == 200, name
        assert client.get(page(f"{name}_change", pk)).status_code == 200, name


def test_actions_publish_and_withdraw_with_reasons(client):
    ready, empty = draft_course(), draft_course(lessons=0, title="Empty one")
    pks = [ready.pk, empty.pk]
    answer = client.post(
        page("course_changelist"), {"action": "publish", "_selected_action": pks}, follow=True
    ).content.decode()
    assert "at least one lesson" in answer
    assert set(Course.objects.values_list("title", "state")) == {("Reading music", "published"), ("Empty one", "draft")}
    assert Listing.objects.count() == 1
    client.post(page("course_changelist"), {"action": "withdraw", "_selected_action": pks})
    assert not Listing.objects.exists()


def test_a_correction_by_staff_updates_the_catalogue(client):
    course = published_course()
    price = course.prices.get()
    module = course.modules.get()
    data = {
        "title": "Corrected title", "summary": course.summary, "description": "", "outcomes": "", "levels": "",
        "language": "en", "subject": "",
        "prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 1, "prices-0-id": price.pk, "prices-0-course": course.pk,
        "prices-0-currency": "GBP", "prices-0-amount_minor": "77.00",
        "modules-TOTAL_FORMS": 1, "modules-INITIAL_FORMS": 1, "modules-0-id": module.pk, "modules-0-course": course.pk,
        "modules-0-title": module.title, "modules-0-position": 1,
    }  # fmt: skip
    answer = client.post(page("course_change", course.pk), data)
    assert answer.status_code == 302, answer.context["errors"]
    listing = Listing.objects.get()
    assert (listing.title, listing.prices.get().amount_minor) == ("Corrected title", 7_700)


def test_enrolments_cannot_be_edited_nor_courses_deleted_in_the_admin(client):
    course = published_course()
    enrolled_student(course)
    enrolment = Enrolment.objects.get()
    assert client.get(page("enrolment_add")).status_code == 403
    assert client.post(page("enrolment_change", enrolment.pk), {"state": "revoked"}).status_code == 403
    for name, pk in (
        ("enrolment", enrolment.pk),
        ("course", course.pk),
        ("module", Module.objects.get().pk),
        ("courselesson", CourseLesson.objects.get().pk),
    ):
        assert client.post(page(f"{name}_delete", pk), {"post": "yes"}).status_code == 403, name


def test_the_lists_take_as_many_queries_for_ten_as_for_one(client):
    teacher, counts = TeacherFactory(), {"course": set(), "enrolment": set(), "courselesson": set(), "module": set()}
    for number in range(10):
        enrolled_student(published_course(teacher=teacher, title=f"Course {number}"))
        if number in (0, 9):
            for name, seen in counts.items():
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(page(f"{name}_changelist")).status_code == 200
                seen.add(len(queries))
    assert {name: len(seen) for name, seen in counts.items()} == dict.fromkeys(counts, 1)


def test_staff_cannot_take_the_last_price_from_a_course_on_sale(client):
    course = published_course()
    price, module = course.prices.get(), course.modules.get()
    data = {
        "title": "Corrected title", "summary": course.summary, "description": "", "outcomes": "", "levels": "",
        "language": "en", "subject": "", "teacher": TeacherFactory().pk,
        "prices-TOTAL_FORMS": 1, "prices-INITIAL_FORMS": 1, "prices-0-id": price.pk, "prices-0-course": course.pk,
        "prices-0-currency": "GBP", "prices-0-amount_minor": "77.00", "prices-0-DELETE": "on",
        "modules-TOTAL_FORMS": 1, "modules-INITIAL_FORMS": 1, "modules-0-id": module.pk, "modules-0-course": course.pk,
        "modules-0-title": "New", "modules-0-position": 1,
    }  # fmt: skip
    answer = client.post(page("course_change", course.pk), data)
    assert "A published course must stay complete. Set a price in at least one currency." in answer.content.decode()
    assert course.prices.get() == price
    assert course.modules.get().title == module.title
    del data["prices-0-DELETE"]
    assert client.post(page("course_change", course.pk), data).status_code == 302
    assert course.modules.get().title == "New"
    assert Course.objects.get().teacher == course.teacher
