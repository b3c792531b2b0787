from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs.
    atomic = False
    dependencies = [("workshops", "0011_say_what_rows_break")]

    operations = [
        AddIndexConcurrently(
            model_name="registration",
            index=models.Index(fields=["buyer", "-created_at"], name="registration_by_buyer"),
        ),
        AddIndexConcurrently(
            model_name="registration",
            index=models.Index(fields=["workshop", "-created_at"], name="registration_by_workshop"),
        ),
    ]
