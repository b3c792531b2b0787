"""What was known of requests to any teacher becomes assignments: who passed on them, and since when each was asked."""

from django.db import migrations
from django.db.models import F


def fill(apps, _editor):
    requests = apps.get_model("bookings", "LessonRequest").objects
    requests.update(asked_at=F("created_at"))
    passed = requests.model.passed_on_by.through.objects.select_related("lessonrequest")
    assignments = apps.get_model("bookings", "Assignment")
    assignments.objects.bulk_create(
        assignments(
            request_id=row.lessonrequest_id,
            teacher_id=row.teacher_id,
            cause="requested",
            made_at=row.lessonrequest.created_at,
            outcome="declined",
            ended_at=row.lessonrequest.created_at,
        )
        for row in passed.iterator()
    )


def pour_back(apps, _editor):
    declined = apps.get_model("bookings", "Assignment").objects.filter(outcome="declined", teacher__isnull=False)
    through = apps.get_model("bookings", "LessonRequest").passed_on_by.through
    through.objects.bulk_create(
        (through(lessonrequest_id=row.request_id, teacher_id=row.teacher_id) for row in declined.iterator()),
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("bookings", "0009_assignment")]

    operations = [migrations.RunPython(fill, pour_back)]
