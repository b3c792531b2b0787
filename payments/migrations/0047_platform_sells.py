"""Let the platform itself sell: a line without a teacher has no share."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("payments", "0046_customers"),
    ]

    operations = [
        migrations.AlterField(
            model_name="orderline",
            name="teacher",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sold_lines",
                to="accounts.teacher",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("teacher__isnull", False),
                    models.Q(("platform_discount_minor", 0), ("teacher_share_minor", 0)),
                    _connector="OR",
                ),
                name="order_line_of_platform_has_no_share",
            ),
        ),
    ]
