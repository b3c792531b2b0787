import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.urls import reverse

from accounts.guards import teacher_required
from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/teach/profile/"


@pytest.fixture
def as_person(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def test_guests_are_asked_to_sign_in(client):
    assert client.get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_students_are_sent_to_apply_without_a_reproach(as_person):
    response = as_person(UserFactory()).get(PAGE)
    assert response["Location"] == reverse("accounts:teacher_apply")
    assert not list(get_messages(response.wsgi_request))


@pytest.mark.parametrize("status", [Teacher.Status.APPLIED, Teacher.Status.DECLINED])
def test_applicants_are_sent_to_their_application(as_person, status):
    teacher = TeacherFactory(status=status)
    assert as_person(teacher.user).get(PAGE)["Location"] == reverse("accounts:teacher_apply")


def test_suspended_teachers_are_shown_that_they_are(as_person):
    teacher = TeacherFactory(status=Teacher.Status.SUSPENDED, decision_note="Please call us.")
    response = as_person(teacher.user).get(PAGE)
    assert response.status_code == 403
    assert "Please call us." in response.content.decode()


def test_approved_teachers_get_in(as_person):
    assert as_person(TeacherFactory().user).get(PAGE).status_code == 200


def test_the_guard_passes_on_the_teacher_and_the_parts_of_the_address(rf):
    teacher = TeacherFactory()
    request = rf.get("/")
    request.user = teacher.user
    response = teacher_required(lambda r, number: HttpResponse(f"{r.teacher.pk} {number}"))(request, number=7)
    assert response.content.decode() == f"{teacher.pk} 7"
