"""The texts of the two mails."""

import pytest

from courses.tests.factories import enrolled_student, published_course
from notifications.delivery import render
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def test_the_student_gets_a_welcome_with_an_absolute_link(settings):
    course = published_course(title="Jazz & <blues>")
    student = enrolled_student(course, full_name="Zoë O'Hara")
    mail = render(Mail.objects.get(user=student))
    assert mail.subject == "Your course “Jazz & <blues>” is open"
    for text in ("Hello Zoë,", "Jazz & <blues>", f"{settings.BASE_URL}/my/courses/{course.slug}/"):
        assert text in mail.text
    assert "Jazz &amp; &lt;blues&gt;" in mail.html
    assert f'href="{settings.BASE_URL}/my/courses/{course.slug}/"' in mail.html


def test_the_teacher_gets_a_mail_about_the_new_student(settings):
    course = published_course()
    enrolled_student(course, full_name="Ben Hart")
    mail = render(Mail.objects.get(user=course.teacher.user))
    assert mail.subject == "Ben Hart is enrolled in “Reading music”"
    assert f"{settings.BASE_URL}/teach/courses/" in mail.text
    assert "Ben Hart" in mail.html
