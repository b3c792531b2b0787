from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    # Built while the site runs: every purchase stores a mail.
    atomic = False
    dependencies = [("notifications", "0004_mail_series")]

    operations = [
        AddIndexConcurrently(
            model_name="mail",
            index=models.Index(fields=["series", "to"], condition=~models.Q(series=""), name="mail_of_a_series"),
        ),
    ]
