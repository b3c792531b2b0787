"""Each attempt of a delivery is kept, and events are found by the object they tell of."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

REFERENCES = ("customer", "payment_intent", "charge", "product")


def fill_columns_of_events(apps: Any, _schema_editor: Any) -> None:
    """Give the events of an older file their columns."""
    for row in apps.get_model("sandbox", "StoredObject").objects.filter(kind="event").iterator():
        told = row.body["data"]["object"]
        row.source = told.get("id") or ""
        for name in REFERENCES:
            setattr(row, name, told[name] if isinstance(told.get(name), str) else "")
        row.save(update_fields=["source", *REFERENCES])


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0003_columns_of_balances"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeliveryAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.FloatField()),
                ("status", models.IntegerField(null=True)),
                ("answer", models.TextField(default="")),
                ("milliseconds", models.IntegerField()),
                ("signature", models.TextField(default="")),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tries", to="sandbox.delivery"
                    ),
                ),
            ],
        ),
        migrations.RunPython(fill_columns_of_events, migrations.RunPython.noop),
    ]
