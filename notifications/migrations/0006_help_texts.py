from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0005_index_mails_of_a_series"),
    ]

    operations = [
        migrations.AlterField(
            model_name="mail",
            name="key",
            field=models.CharField(
                help_text="Identifies the mail; a second one with the same key is not queued.",
                max_length=200,
                unique=True,
            ),
        ),
    ]
