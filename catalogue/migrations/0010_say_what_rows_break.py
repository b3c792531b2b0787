"""State only: what staff read when a row breaks a rule of the database, where they read the name of the rule before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0009_learn_words"),
    ]

    operations = [
        migrations.AlterConstraint(
            model_name="subject",
            name="subject_not_broader_than_itself",
            constraint=models.CheckConstraint(
                condition=models.Q(("broader", models.F("id")), _negated=True),
                name="subject_not_broader_than_itself",
                violation_error_message="A subject cannot belong to itself.",
            ),
        ),
    ]
