"""Payments know the country of their payer, for the tax report."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0049_tax_of_lines"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="billed_country",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=2),
        ),
    ]
