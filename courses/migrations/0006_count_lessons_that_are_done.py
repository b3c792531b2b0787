"""Enrolments count the lessons that are done. The default is the database's too, for code that runs meanwhile."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("courses", "0005_listings_know_covers")]

    operations = [
        migrations.AddField(
            model_name="enrolment",
            name="done_lesson_ids",
            field=ArrayField(models.BigIntegerField(), db_default=models.Value("{}"), default=list, size=None),
        ),
    ]
