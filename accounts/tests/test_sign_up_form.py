import re

import pytest
from django.urls import reverse

from accounts.models import Teacher
from accounts.tests.factories import PASSWORD, TeacherFactory, UserFactory

pytestmark = pytest.mark.django_db
ADA = {"full_name": "Ada", "email": "ada@example.org", "password1": PASSWORD}


def focused(html):
    return re.findall(r'name="(\w+)"', " ".join(re.findall(r"<input[^>]*\bautofocus\b[^>]*>", html)))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"password1": "short"}, "password1"),
        ({"email": "nowhere"}, "email"),
        ({"full_name": "", "password1": ""}, "full_name"),
        ({}, "full_name"),
    ],
)
def test_a_failed_sign_up_focuses_the_first_field_that_was_refused(client, wrong, field):
    url = reverse("account_signup")
    page = client.post(url, ADA | wrong) if wrong else client.get(url)
    assert focused(page.content.decode()) == [field]


@pytest.mark.parametrize("typed", ["UK", "uk", "Great Britain", "United Kingdom", "GB", "England, Scotland"])
def test_countries_are_known_by_the_names_people_use(client, typed):
    client.force_login(user := UserFactory(full_name="Ada"))
    application = {"display_name": "Ada", "biography": "Piano", "languages": "English", "regions": typed}
    assert client.post(reverse("accounts:teacher_apply"), application).status_code == 302
    assert Teacher.objects.get(user=user).regions == ["GB"]


@pytest.mark.parametrize("status", [None, Teacher.Status.APPLIED, Teacher.Status.DECLINED])
def test_the_menu_leads_to_the_application_without_a_reproach(client, status):
    user = TeacherFactory(status=status).user if status else UserFactory()
    client.force_login(user)
    page = client.get(reverse("payments:sales"), follow=True)
    assert page.redirect_chain[-1][0] == reverse("accounts:teacher_apply")
    assert not list(page.context["messages"])
    if status == Teacher.Status.APPLIED:
        assert "We are reviewing it." in page.content.decode()


def test_a_teacher_is_not_asked_to_become_one(client):
    assert "Become a teacher" in client.get("/").content.decode()
    client.force_login(TeacherFactory().user)
    assert "Become a teacher" not in client.get("/").content.decode()
