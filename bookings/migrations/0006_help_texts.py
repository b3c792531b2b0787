from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0005_fill_place_zones"),
    ]

    operations = [
        migrations.AlterField(
            model_name="lesson",
            name="policy",
            field=models.JSONField(default=dict, help_text="The cancellation policy when it was proposed."),
        ),
        migrations.AlterField(
            model_name="lesson",
            name="time_zone",
            field=models.CharField(
                blank=True,
                help_text="The zone of the place. Empty online, where times are shown in the reader's zone.",
                max_length=50,
            ),
        ),
    ]
