from django.db import migrations, models

import accounts.places_and_languages


class Migration(migrations.Migration):
    dependencies = [
        ("workshops", "0004_listings_know_place_and_early_price"),
    ]

    operations = [
        migrations.AlterField(
            model_name="workshop",
            name="online_url",
            field=models.URLField(
                blank=True, help_text="Shown only to registered people.", verbose_name="link to join"
            ),
        ),
        migrations.AlterField(
            model_name="workshop",
            name="registration_closes_at",
            field=models.DateTimeField(blank=True, help_text="By default when the first session starts.", null=True),
        ),
        migrations.AlterField(
            model_name="workshop",
            name="time_zone",
            field=models.CharField(
                default="Europe/London",
                help_text="The zone in which its times are entered.",
                max_length=50,
                validators=[accounts.places_and_languages.is_time_zone],
            ),
        ),
    ]
