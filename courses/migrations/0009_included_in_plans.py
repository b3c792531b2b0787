"""Teachers include courses in plans; enrolments keep the progress of students who have one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0008_index_newest_first"),
    ]

    operations = [
        migrations.AddField(
            model_name="course",
            name="is_in_plans",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Subscribers open it without buying it, and its teacher earns by use. Others can still buy it.",
                verbose_name="included in plans",
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="opened_by_plan_at",
            field=models.DateTimeField(null=True),
        ),
    ]
