from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs.
    atomic = False
    dependencies = [("courses", "0007_say_what_rows_break")]

    operations = [
        AddIndexConcurrently(
            model_name="enrolment",
            index=models.Index(fields=["student", "-activated_at"], name="enrolment_by_student"),
        ),
    ]
