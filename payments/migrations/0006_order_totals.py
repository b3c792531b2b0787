"""An order keeps what its lines add up to: list prices, discount, total and the tax in it."""

from django.db import migrations, models

# Until now an order had no discount, so its total was the sum of the list prices.
FILL = """
UPDATE payments_order SET
    subtotal_minor = total_minor,
    tax_minor = (SELECT coalesce(sum(tax_minor), 0) FROM payments_orderline WHERE order_id = payments_order.id);
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_count_postponements")]

    operations = [
        migrations.AddField(
            "order",
            "subtotal_minor",
            models.PositiveBigIntegerField(default=0, help_text="At list prices, before discounts."),
            preserve_default=False,
        ),
        migrations.AddField("order", "discount_minor", models.PositiveBigIntegerField(db_default=0)),
        migrations.AddField(
            "order",
            "tax_minor",
            models.PositiveBigIntegerField(db_default=0, help_text="The part of the total that is tax."),
        ),
        migrations.AlterField(
            "order", "total_minor", models.PositiveBigIntegerField(help_text="What is paid, tax included.")
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
