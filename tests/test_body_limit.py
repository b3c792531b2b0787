"""No request may be larger than its page accepts, and the answer to a larger one says why."""

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import TeacherFactory
from courses.uploads import LARGEST_FILE_BYTES
from uploads.pictures import LARGEST_BYTES

MB = 1024 * 1024


def announce(path, size):
    """Announce a body of this size; if the request is refused, the body is never sent."""
    return Client().generic("POST", path, b"", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH=str(size))


@pytest.mark.parametrize(
    ("path", "largest"),
    [
        ("/accounts/login/", 12 * MB),
        ("/teach/profile/", 12 * MB),
        ("/admin/login/", 12 * MB),
        ("/no/such/page/", 12 * MB),
        ("/teach/courses/new/", 52 * MB),
    ],
)
def test_a_body_one_byte_too_large_is_refused_unread(path, largest):
    answer = announce(path, largest + 1)
    assert answer.status_code == 413
    assert "larger than this page accepts" in answer.content.decode()
    assert answer["X-Request-Id"]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "largest"), [("/accounts/login/", 12 * MB), ("/teach/courses/new/", 52 * MB)])
def test_a_body_of_just_the_size_reaches_its_page(path, largest):
    assert announce(path, largest).status_code != 413


@pytest.mark.parametrize("size", ["", "x", "-1", "1e99"])
@pytest.mark.django_db
def test_a_length_that_is_no_number_is_no_server_error(size):
    assert announce("/accounts/login/", size).status_code < 500


@pytest.mark.django_db
def test_fields_beyond_their_own_limit_are_a_400_with_a_page():
    data = {"login": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE, "password": "x"}
    answer = Client(raise_request_exception=False).post("/accounts/login/", data)
    assert answer.status_code == 400
    assert "We could not understand this request" in answer.content.decode()


@pytest.mark.django_db
def test_a_photo_a_little_too_large_is_answered_by_its_form():
    teacher, client = TeacherFactory(), Client()
    client.force_login(teacher.user)
    photo = SimpleUploadedFile("photo.jpg", b"\xff\xd8\xff" + bytes(LARGEST_BYTES))
    page = client.post(reverse("accounts:teacher_profile"), {"photo": photo})
    assert "larger than 5 MB" in page.content.decode()


def test_the_largest_file_of_a_course_fits():
    assert (
        settings.LARGEST_BODY_BYTES_BELOW["/teach/courses/"]
        > LARGEST_FILE_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE - MB
    )
    assert reverse("courses:desk") in settings.LARGEST_BODY_BYTES_BELOW
