"""Which files teachers may upload, and the names under which they are stored."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.tests.factories import TeacherFactory
from courses import authoring, uploads
from courses.models import CourseLesson
from courses.tests.factories import draft_course, only_lesson
from uploads.tests.pictures import picture, with_notes

pytestmark = pytest.mark.django_db
COURSE = {"title": "Chess openings", "summary": "Twelve of them.", "language": "en", "price_gbp": "25.00"}
LESSON = {"title": "The Ruy Lopez", "body": "1. e4 e5", "minutes": "15"}


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "private"
    settings.MEDIA_ROOT = str(tmp_path / "public")
    settings.CURRENCIES = ["GBP", "EUR", "JPY"]


@pytest.fixture
def teacher(client):
    teacher = TeacherFactory()
    client.force_login(teacher.user)
    return teacher


def url(name, *numbers):
    return reverse(f"courses:{name}", args=numbers)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>"),
        ("image.svg", b"<svg>"),
        ("run.exe", b"MZ"),
        ("none", b"%PDF-1.7"),
        ("page.pdf.html", b"%PDF-1.7"),
        ("fake.pdf", b"<html>"),
        ("fake.png", b"GIF89a"),
        ("fake.docx", b"%PDF-1.7"),
        ("empty.pdf", b""),
    ],
)
def test_uploads_of_other_types_are_refused(client, teacher, name, content):
    course = draft_course(teacher=teacher, lessons=0)
    module = authoring.add_module(course=course, title="A")
    answer = client.post(
        url("lesson_create", course.pk, module.pk, "file"), LESSON | {"file": SimpleUploadedFile(name, content)}
    )
    assert "errorlist" in answer.content.decode()
    assert not CourseLesson.objects.exists()


def test_uploads_are_limited_in_size(client, teacher, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST_FILE_BYTES", 10)
    course = draft_course(teacher=teacher, lessons=0)
    module = authoring.add_module(course=course, title="A")
    address = url("lesson_create", course.pk, module.pk, "file")
    assert (
        "larger than"
        in client.post(address, LESSON | {"file": SimpleUploadedFile("a.pdf", b"%PDF-" + b"x" * 6)}).content.decode()
    )
    assert client.post(address, LESSON | {"file": SimpleUploadedFile("a.pdf", b"%PDF-" + b"x" * 5)}).status_code == 302


def test_a_file_is_stored_under_a_generated_name_and_offered_under_a_safe_one(client, teacher, settings):
    course = draft_course(teacher=teacher, lessons=0)
    module = authoring.add_module(course=course, title="A")
    upload = SimpleUploadedFile("..\\..\\my notes & (ä).PDF", b"%PDF-1.7")
    client.post(url("lesson_create", course.pk, module.pk, "file"), LESSON | {"file": upload, "is_free_preview": "on"})
    lesson = only_lesson(course)
    assert lesson.file.name.startswith("courses/files/")
    assert lesson.file.name.endswith(".pdf")
    assert "notes" not in lesson.file.name
    assert (settings.PRIVATE_MEDIA_ROOT / lesson.file.name).exists()
    assert lesson.file_name == "my notes - (ä).pdf"
    assert not lesson.is_free_preview
    client.post(url("lesson_edit", course.pk, lesson.pk), LESSON)
    assert only_lesson(course).file.name == lesson.file.name


@pytest.mark.parametrize(("name", "kind"), [("sheet.jpg", "JPEG"), ("sheet.JPEG", "JPEG"), ("sheet.png", "PNG")])
def test_a_photo_does_not_tell_where_it_was_taken(client, teacher, name, kind):
    course = draft_course(teacher=teacher, lessons=0)
    module = authoring.add_module(course=course, title="A")
    upload = SimpleUploadedFile(name, with_notes(picture(kind), kind))
    address = url("lesson_create", course.pk, module.pk, "file")
    assert client.post(address, LESSON | {"file": upload}).status_code == 302
    lesson = only_lesson(course)
    assert lesson.file_name.lower() == name.lower()
    with lesson.file.open() as stored:
        assert b"canary" not in stored.read().lower()


def test_a_photo_that_is_cut_off_is_refused_with_a_word(client, teacher):
    course = draft_course(teacher=teacher, lessons=0)
    module = authoring.add_module(course=course, title="A")
    upload = SimpleUploadedFile("sheet.jpg", picture("JPEG")[:-2])
    page = client.post(url("lesson_create", course.pk, module.pk, "file"), LESSON | {"file": upload})
    assert "damaged or cut off" in page.content.decode()
    assert not CourseLesson.objects.exists()
