"""Lessons in person were proposed in their teacher's zone, and happen there."""

from django.db import migrations


def fill(apps, _editor):
    lessons = apps.get_model("bookings", "Lesson").objects.filter(is_online=False, time_zone="")
    for lesson in lessons.select_related("teacher__user").iterator():
        lesson.time_zone = lesson.teacher.user.time_zone
        lesson.save(update_fields=["time_zone"])


class Migration(migrations.Migration):
    dependencies = [("bookings", "0004_lesson_time_zone")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
