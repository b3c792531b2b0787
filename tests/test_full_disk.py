"""A full or read-only disk: the person gets a message, what they typed is kept, and no half-written file stays."""

import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from courses import authoring
from courses.models import Course, CourseLesson
from courses.tests.factories import draft_course
from tests.doors import DOORS
from uploads.tests.pictures import noise

pytestmark = pytest.mark.django_db
LESSON = {"title": "The Ruy Lopez", "body": "1. e4 e5, as I typed", "minutes": "15"}
SAID = "cannot store files at the moment"


@contextmanager
def mounted(folder, options):
    """A disk of its own: a limit on this process would stop the other threads' files as well."""
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("Only root may mount a disk of its own.")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


DISKS = {
    "full": lambda folder: mounted(folder, "size=8k"),
    "read-only": lambda folder: mounted(folder, "ro"),
}


@pytest.fixture(params=DISKS)
def disk(request, settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "disk")
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "disk"
    settings.STAFF_NEEDS_MFA = False
    with DISKS[request.param](tmp_path / "disk") as folder:
        yield folder


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def small_picture():
    """A picture of about 30 kB in any format."""
    return SimpleUploadedFile("a.png", noise(size=(200, 200)))


def pdf(size=100_000):
    return SimpleUploadedFile("a.pdf", b"%PDF-1.7" + b"x" * size)


@pytest.mark.parametrize("kind", DOORS)
def test_a_picture_that_cannot_be_kept(kind, disk):
    door = kind()
    before = door.text
    answer = door.send(small_picture())
    assert answer.status_code == 503
    assert SAID in answer.content.decode()
    if "InTheAdmin" not in kind.__name__:
        # In the admin, the browser still has what was typed; the site's own forms keep it themselves.
        assert door.fields()[door.words] in answer.content.decode()
    assert (door.text, bool(door.stored), files_in(disk)) == (before, False, [])
    assert door.send().status_code == 302
    assert door.text == door.fields()[door.words]


def test_a_new_course_whose_cover_cannot_be_kept(disk):
    client, teacher = Client(), draft_course().teacher
    client.force_login(teacher.user)
    fields = {"title": "Chess openings", "summary": "As I typed.", "language": "en", "cover": small_picture()}
    answer = client.post(reverse("courses:course_create"), fields)
    assert (answer.status_code, Course.objects.count()) == (503, 1)
    assert SAID in answer.content.decode()
    assert "As I typed." in answer.content.decode()


# Above 2.5 MB a file waits in the temporary folder and is moved from there.
@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_a_lessons_file_that_cannot_be_kept(disk, size):
    course = draft_course(lessons=0)
    module = authoring.add_module(course=course, title="A")
    client = Client()
    client.force_login(course.teacher.user)
    answer = client.post(
        reverse("courses:lesson_create", args=[course.pk, module.pk, "file"]), LESSON | {"file": pdf(size)}
    )
    assert answer.status_code == 503
    assert SAID in answer.content.decode()
    assert LESSON["body"] in answer.content.decode()
    assert (CourseLesson.objects.count(), files_in(disk)) == (0, [])


def test_a_lessons_file_that_cannot_be_replaced_stays(settings, tmp_path):
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "disk"
    course = draft_course(lessons=0)
    module = authoring.add_module(course=course, title="A")
    client = Client()
    client.force_login(course.teacher.user)
    with mounted(tmp_path / "disk", "size=8k") as folder:
        client.post(reverse("courses:lesson_create", args=[course.pk, module.pk, "file"]), LESSON | {"file": pdf(10)})
        lesson = CourseLesson.objects.get()
        answer = client.post(reverse("courses:lesson_edit", args=[course.pk, lesson.pk]), LESSON | {"file": pdf()})
        assert answer.status_code == 503
        assert SAID in answer.content.decode()
        kept = CourseLesson.objects.get().file
        assert kept.name == lesson.file.name
        assert Path(kept.path).read_bytes().startswith(b"%PDF")
        assert [path.name for path in files_in(folder)] == [kept.name.rpartition("/")[2]]


def test_an_upload_the_temporary_folder_has_no_room_for(disk, settings, tmp_path):
    """The file is stored while the request is read, long before a form sees it."""
    settings.FILE_UPLOAD_TEMP_DIR = str(disk)
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "private"
    course = draft_course(lessons=0)
    module = authoring.add_module(course=course, title="A")
    client = Client()
    client.force_login(course.teacher.user)
    address = reverse("courses:lesson_create", args=[course.pk, module.pk, "file"])
    answer = client.post(address, {"file": pdf(3_000_000)} | LESSON)
    assert answer.status_code < 500
    assert SAID in answer.content.decode()
    assert LESSON["body"] in answer.content.decode()
    assert (CourseLesson.objects.count(), files_in(tmp_path)) == (0, [])


@pytest.mark.parametrize("kind", DOORS)
def test_a_picture_the_temporary_folder_has_no_room_for(kind, disk, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(disk)
    settings.MEDIA_ROOT = str(tmp_path / "public")
    door = kind()
    before = door.text
    answer = door.send(SimpleUploadedFile("a.png", noise(size=(1100, 900))))
    assert answer.status_code < 500
    assert SAID in answer.content.decode()
    assert (door.text, bool(door.stored), files_in(tmp_path)) == (before, False, [])


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_with_room_again_all_is_as_before(disk, size, settings, tmp_path):
    """A failed upload leaves nothing that would break a later one."""
    course = draft_course(lessons=0)
    module = authoring.add_module(course=course, title="A")
    client = Client()
    client.force_login(course.teacher.user)
    address = reverse("courses:lesson_create", args=[course.pk, module.pk, "file"])
    client.post(address, LESSON | {"file": pdf()})
    settings.PRIVATE_MEDIA_ROOT = settings.FILE_UPLOAD_TEMP_DIR = tmp_path
    assert client.post(address, LESSON | {"file": pdf(size)}).status_code == 302
    assert CourseLesson.objects.get().file.size == size + len("%PDF-1.7")
