"""Teachers have a tax number, for receipts on which they are the seller."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
    ]

    operations = [
        migrations.AddField(
            model_name="teacher",
            name="tax_number",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Printed on receipts where you are the seller, for example GB123456789.",
                max_length=40,
            ),
        ),
    ]
