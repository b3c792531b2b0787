from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs.
    atomic = False
    dependencies = [("bookings", "0012_load_of_teachers")]

    operations = [
        AddIndexConcurrently(
            model_name="lesson",
            index=models.Index(fields=["student", "-proposed_at"], name="lesson_by_student"),
        ),
        AddIndexConcurrently(
            model_name="lesson",
            index=models.Index(fields=["teacher", "-proposed_at"], name="lesson_by_teacher"),
        ),
        AddIndexConcurrently(
            model_name="lessonrequest",
            index=models.Index(fields=["student", "-created_at"], name="lesson_request_by_student"),
        ),
        AddIndexConcurrently(
            model_name="lessonrequest",
            index=models.Index(fields=["teacher", "-created_at"], name="lesson_request_by_teacher"),
        ),
    ]
