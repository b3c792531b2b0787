from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs: every proposal stores lessons.
    atomic = False
    dependencies = [("bookings", "0014_lesson_credits")]

    operations = [
        AddIndexConcurrently(
            model_name="lesson",
            index=models.Index(
                models.Func(models.F("period"), function="upper", output_field=models.DateTimeField()),
                condition=models.Q(("credit_ended_at__isnull", True), ("is_by_credit", True)),
                name="lesson_with_credit",
            ),
        ),
    ]
