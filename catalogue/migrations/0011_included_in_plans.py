"""Cards say which offers plans open."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("catalogue", "0010_say_what_rows_break"),
    ]

    operations = [
        migrations.AddField(
            model_name="listing",
            name="is_in_plans",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Plans that open such offers open it, beside its own price."
            ),
        ),
    ]
