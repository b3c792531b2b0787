from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0002_prices_within_card_limits"),
    ]

    operations = [
        migrations.AlterField(
            model_name="courselesson",
            name="file_name",
            field=models.CharField(
                blank=True, editable=False, help_text="The name of the downloaded file.", max_length=120
            ),
        ),
        migrations.AlterField(
            model_name="courselesson",
            name="is_free_preview",
            field=models.BooleanField(
                default=False, help_text="Everyone can see it before buying.", verbose_name="free preview"
            ),
        ),
        migrations.AlterField(
            model_name="enrolment",
            name="order_line_id",
            field=models.BigIntegerField(help_text="The order line that holds it or that delivered it.", null=True),
        ),
    ]
