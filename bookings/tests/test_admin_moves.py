"""Staff's pages on requests and on the load of teachers."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import TeacherFactory, UserFactory
from bookings.availability import set_availability
from bookings.proposals import decline_request
from bookings.tests import factories as make

pytestmark = pytest.mark.django_db


def staff_of(group):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def support():
    return staff_of("support")


def show(request):
    return reverse("admin:bookings_lessonrequest_change", args=[request.pk])


def move(request):
    return reverse("admin:bookings_lessonrequest_move", args=[request.pk])


def test_staff_read_who_was_asked_and_why(support):
    taught = make.subject(name="Cello")
    make.teacher_of(taught, user__full_name="Anna")
    busy = make.teacher_of(taught, user__full_name="Bo")
    make.open_request(teacher=busy)
    make.teacher_of(taught, regions=["FR"])
    request = make.open_request(is_to_any=True, subject=taught)
    decline_request(request_id=request.pk, teacher=request.teacher, note="My weeks are full")
    page = support.get(show(request)).content.decode()
    assert "Cello: 3 considered, of whom 1 may not teach where the student is, 2 suitable." in page
    assert "Chosen as the one with the least work: a load of 0. Next would have been Bo (1)." in page
    assert "1 were asked before, 1 suitable." in page
    assert "No other was suitable." in page
    assert "My weeks are full" in page


def test_staff_move_a_request_to_a_suggested_teacher_or_to_any_other(support):
    taught = make.subject()
    request = make.open_request(is_to_any=True, subject=taught)
    assert "Find a teacher" in support.get(show(request)).content.decode()
    listed = support.get(reverse("admin:bookings_lessonrequest_changelist") + "?waits=staff").content.decode()
    assert str(request.student) in listed
    assert "lesson request needs a teacher" in support.get(reverse("admin:index")).content.decode()
    suggested, other = make.teacher_of(taught), TeacherFactory()
    assert f"{suggested}, load 0" in support.get(move(request)).content.decode()
    assert support.post(move(request), {"teacher": suggested.pk}).status_code == 302
    request.refresh_from_db()
    assert request.teacher == suggested
    support.post(move(request), {"teacher": "other", "email": other.user.email.upper(), "note": "By phone"})
    request.refresh_from_db()
    assert request.teacher == other
    assert "By phone" in support.get(show(request)).content.decode()


@pytest.mark.parametrize(
    "bad",
    [
        {}, {"teacher": "x"}, {"teacher": "999999999999999999999"}, {"teacher": "other"}, {"teacher": "\x00"},
        {"teacher": "other", "email": "nobody@example.org"}, {"teacher": "other", "email": "\x00"},
        {"teacher": "other", "email": "x"},
    ],
)  # fmt: skip
def test_an_impossible_move_is_explained_in_the_form(support, bad):
    request = make.open_request()
    assert support.post(move(request), bad).status_code == 400
    before = request.teacher
    request.refresh_from_db()
    assert request.teacher == before


def test_the_present_teacher_and_a_closed_request_are_refused_with_a_message(support):
    request = make.open_request()
    answer = support.post(move(request), {"teacher": "other", "email": request.teacher.user.email})
    assert answer.status_code == 400
    assert "has this request already" in answer.content.decode()
    decline_request(request_id=request.pk, teacher=request.teacher, note="")
    assert "no longer open" in support.get(move(request), follow=True).content.decode()
    assert "Move to another teacher" not in support.get(show(request)).content.decode()


def test_only_staff_who_may_change_requests_move_them():
    request = make.open_request()
    finance = staff_of("finance")
    assert finance.get(move(request)).status_code == 403
    assert "Move to another teacher" not in finance.get(show(request)).content.decode()
    student = Client()
    student.force_login(request.student)
    assert student.get(move(request)).status_code == 403


def test_a_request_that_does_not_exist_is_a_404(support):
    assert support.get(reverse("admin:bookings_lessonrequest_move", args=[10**9])).status_code == 404


def test_the_load_of_all_teachers_is_on_one_page(support, django_assert_max_num_queries):
    taught = make.subject()
    for number in range(4):
        teacher = make.teacher_of(taught)
        for _ in range(number):
            make.open_request(teacher=teacher)
    set_availability(teacher=teacher, is_paused=True)
    url = reverse("admin:bookings_teacherload_changelist")
    support.get(url)
    with django_assert_max_num_queries(20):
        page = support.get(url)
    assert [load.total for load in page.context["cl"].result_list] == [3, 2, 1, 0]
    requests = reverse("admin:bookings_lessonrequest_changelist")
    assert f"{requests}?with={teacher.pk}&amp;state__exact=open" in page.content.decode()
    assert "paused" in page.content.decode()
    narrowed = support.get(url, {"subject": make.subject().pk})
    assert list(narrowed.context["cl"].result_list) == []
    assert support.get(url, {"subject": "x"}).status_code == 200
    assert support.get(url, {"subject": 10**30}).status_code == 200
    listed = support.get(requests, {"with": teacher.pk, "state__exact": "open"}).context["cl"]
    assert {request.teacher for request in listed.result_list} == {teacher}
    assert support.get(reverse("admin:bookings_teacherload_change", args=[teacher.pk])).status_code == 200


def test_staff_pause_a_teacher(support):
    teacher = TeacherFactory()
    url = reverse("admin:bookings_availability_add")
    assert support.post(url, {"teacher": teacher.pk, "is_paused": "on", "days": "mon,tue"}).status_code == 302
    teacher.refresh_from_db()
    assert (teacher.availability.is_paused, teacher.availability.days) == (True, ["mon", "tue"])
