"""Files are deleted with the rows that name them: after the commit, and never while a row still names them."""

import os
import threading
import time
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.urls import reverse

from accounts.models import Teacher
from accounts.tests.factories import TeacherFactory
from config.celery import app
from courses import authoring
from courses.authoring import WouldBreakPublished
from courses.models import Course, CourseLesson
from courses.tests.factories import draft_course, published_course
from tests.doors import COURSE, DOORS
from uploads.tasks import delete_orphans
from uploads.tests.pictures import picture

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path / "public")
    settings.PRIVATE_MEDIA_ROOT = tmp_path / "private"
    settings.STAFF_NEEDS_MFA = False
    return tmp_path


def names_on_disk(media):
    return {str(path.relative_to(media).relative_to(path.relative_to(media).parts[0])) for path in media.rglob("*.*")}


def upload(colour="red"):
    return SimpleUploadedFile("a.png", picture(colour=colour))


def new_picture():
    from uploads.pictures import COVER, read_picture

    return read_picture(ContentFile(picture()), shape=COVER)


def course_with_cover():
    return draft_course(cover=new_picture())


def lesson_with_file(course=None, content=b"%PDF-1.7"):
    module = (course or draft_course(lessons=0)).modules.first() or authoring.add_module(
        course=course or draft_course(lessons=0), title="A"
    )
    fields = {"title": "Scales", "kind": "file", "file": ContentFile(content, name="a.pdf"), "file_name": "a.pdf"}
    return authoring.add_lesson(module=module, fields=fields)


@pytest.mark.parametrize("kind", DOORS)
def test_a_replaced_and_a_removed_picture_leave_the_disk(kind, media):
    door = kind()
    door.send(upload())
    first = door.stored.name
    assert names_on_disk(media) == {first}
    door.send(upload("blue"))
    assert door.stored.name != first
    assert names_on_disk(media) == {door.stored.name}
    door.send(**{f"{door.field}-clear": "on"})
    assert names_on_disk(media) == set()


def test_a_lessons_file_goes_when_replaced_and_with_its_lesson_module_and_row(media):
    lesson = lesson_with_file()
    first = lesson.file.name
    authoring.change_lesson(lesson=lesson, fields={"file": ContentFile(b"%PDF-2", name="b.pdf")})
    lesson.refresh_from_db()
    assert names_on_disk(media) == {lesson.file.name} != {first}
    authoring.delete_lesson(lesson=lesson)
    assert names_on_disk(media) == set()
    authoring.delete_module(module=lesson_with_file().module)
    assert names_on_disk(media) == set()
    lesson_with_file()
    CourseLesson.objects.all().delete()
    assert names_on_disk(media) == set()


def test_a_deleted_row_takes_its_picture_along(media):
    course_with_cover().delete()
    assert names_on_disk(media) == set()
    course_with_cover()
    Course.objects.all().delete()
    assert names_on_disk(media) == set()


def test_nothing_goes_before_the_commit_or_when_it_is_rolled_back(media):
    course = course_with_cover()
    kept = course.cover.name
    with transaction.atomic():
        course.cover = ""
        course.save()
        Course.objects.get(pk=course.pk).delete()
        assert names_on_disk(media) == {kept}
        transaction.set_rollback(True)
    assert names_on_disk(media) == {kept}
    with transaction.atomic(), transaction.atomic():
        Course.objects.get(pk=course.pk).delete()
        transaction.set_rollback(True)
    assert names_on_disk(media) == {kept}
    assert Course.objects.get().cover.name == kept


def test_a_change_that_is_refused_keeps_the_old_cover(media):
    course = published_course(cover=new_picture())
    kept = course.cover.name
    with pytest.raises(WouldBreakPublished):
        authoring.change_course(course=course, prices=[], changes={"cover": new_picture()})
    assert Course.objects.get().cover.name == kept
    assert kept in names_on_disk(media)


def test_a_file_another_row_names_stays(media):
    course = course_with_cover()
    copy = draft_course(title="A copy", cover=course.cover.name)
    teacher = TeacherFactory(photo=course.cover.name)
    course.delete()
    assert names_on_disk(media) == {copy.cover.name}
    copy.cover = ""
    copy.save()
    assert names_on_disk(media) == {teacher.photo.name}
    teacher.photo = ""
    teacher.save()
    assert names_on_disk(media) == set()


def test_saving_other_fields_reads_and_deletes_nothing(media, django_assert_num_queries):
    course = course_with_cover()
    course.title = "Another"
    with django_assert_num_queries(1):
        course.save(update_fields=["title"])
    course.save()
    assert names_on_disk(media) == {course.cover.name}


def test_two_who_replace_a_photo_at_once_leave_one_file(media):
    from accounts.profiles import change_teacher_profile
    from uploads.pictures import PORTRAIT, read_picture

    teacher = TeacherFactory()
    both = threading.Barrier(2)

    def replace():
        photo = read_picture(ContentFile(picture()), shape=PORTRAIT)
        both.wait()
        change_teacher_profile(teacher=teacher, photo=photo)
        connection.close()

    threads = [threading.Thread(target=replace) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names_on_disk(media) == {Teacher.objects.get().photo.name}


def test_a_disk_that_refuses_the_deletion_does_not_undo_the_change(media, monkeypatch):
    course = course_with_cover()
    folder = media / "public" / "courses" / "covers"
    kept = folder / course.cover.name.rpartition("/")[2]
    # A folder under the file's name cannot be removed like a file, not even by root.
    kept.unlink()
    (kept / "x").mkdir(parents=True)
    course.cover = ""
    course.save()
    assert not Course.objects.get().cover


# --- Files left behind ---------------------------------------------------------------------------------------------
def left_behind(media, name, age_in_days):
    path = media / "public" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    then = time.time() - age_in_days * 86_400
    os.utime(path, (then, then))
    return name


def listed(*arguments):
    out = StringIO()
    call_command("orphaned_files", *arguments, stdout=out)
    return set(out.getvalue().split())


def test_orphans_are_found_and_deleted_and_nothing_else(media):
    course = course_with_cover()
    lesson = lesson_with_file()
    for name, root in ((course.cover.name, "public"), (lesson.file.name, "private")):
        os.utime(media / root / name, (0, 0))
    old = {
        left_behind(media, f"courses/covers/{'a' * 32}.webp", 2),
        left_behind(media, f"teachers/{'b' * 32}.webp", 2),
        left_behind(media, f"courses/covers/{'c' * 16}.png", 2),
    }
    kept = {
        left_behind(media, f"courses/covers/{'d' * 32}.webp", 0),  # may still get its row
        left_behind(media, "courses/covers/logo.png", 9),
        left_behind(media, f"robots/{'a' * 32}.webp", 9),
        left_behind(media, f"courses/covers/mine/{'a' * 32}.webp", 9),
    }
    assert listed() == old
    assert listed("--delete") == old
    assert names_on_disk(media) == kept | {course.cover.name, lesson.file.name}
    assert listed() == set()


def test_the_schedule_deletes_orphans_daily(media):
    left_behind(media, f"teachers/{'b' * 32}.webp", 2)
    assert delete_orphans.name in {entry["task"] for entry in app.conf.beat_schedule.values()}
    delete_orphans()
    assert names_on_disk(media) == set()


def test_what_update_and_a_refused_change_left_is_an_orphan_a_day_later(client, media):
    course = published_course(cover=new_picture())
    client.force_login(course.teacher.user)
    refused = client.post(
        reverse("courses:course_edit", args=[course.pk]), COURSE | {"price_gbp": "", "cover": upload()}
    )
    assert "must stay complete" in refused.content.decode()
    assert len(names_on_disk(media)) == 2
    Course.objects.update(cover="")
    for path in media.rglob("*.webp"):
        os.utime(path, (0, 0))
    assert len(listed("--delete")) == 2
    assert names_on_disk(media) == set()
