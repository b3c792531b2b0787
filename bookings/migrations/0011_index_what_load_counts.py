from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs: every proposal stores lessons.
    atomic = False
    dependencies = [("bookings", "0010_fill_assignments")]

    operations = [
        AddIndexConcurrently(
            model_name="lesson",
            index=models.Index(
                models.Func(models.F("period"), function="upper", output_field=models.DateTimeField()),
                condition=models.Q(state__in=["held", "confirmed"]),
                name="lesson_ahead",
            ),
        ),
        AddIndexConcurrently(
            model_name="lesson",
            index=models.Index(
                models.Func(models.F("period"), function="upper", output_field=models.DateTimeField()),
                condition=models.Q(state__in=["proposed", "held"]),
                name="lesson_proposed_ahead",
            ),
        ),
        AddIndexConcurrently(
            model_name="lessonrequest",
            index=models.Index(condition=models.Q(state="open"), fields=["asked_at"], name="lesson_request_due"),
        ),
    ]
