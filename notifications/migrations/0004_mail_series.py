from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0003_defaults_of_durable_work")]

    operations = [
        migrations.AddField(
            model_name="mail",
            name="series",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="Of the mails of a series that wait for one person, only the latest is sent.",
                max_length=100,
            ),
        ),
    ]
