"""Balances are summed by columns: casting JSON for every movement was slow at ten thousand of them."""

from typing import Any

from django.db import migrations, models


def fill_columns(apps: Any, _schema_editor: Any) -> None:
    """Give the movements of an older file their columns."""
    stored = apps.get_model("sandbox", "StoredObject")
    for row in stored.objects.filter(kind="balance_transaction").iterator():
        row.currency, row.net, row.available_on = (row.body[key] for key in ("currency", "net", "available_on"))
        row.save(update_fields=["currency", "net", "available_on"])


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0002_steps_of_accounts_and_clocks"),
    ]

    operations = [
        migrations.AddField("storedobject", "currency", models.CharField(default="", max_length=3)),
        migrations.AddField("storedobject", "net", models.BigIntegerField(null=True)),
        migrations.AddField("storedobject", "available_on", models.BigIntegerField(null=True)),
        migrations.AddField("storedobject", "payout", models.CharField(default="", max_length=120)),
        migrations.AddIndex("storedobject", models.Index(fields=["kind", "source"], name="object_by_source")),
        migrations.AddIndex("storedobject", models.Index(fields=["kind", "payout"], name="object_by_payout")),
        migrations.AddIndex(
            "storedobject",
            models.Index(fields=["kind", "account", "status", "currency", "net"], name="object_balance_sums"),
        ),
        migrations.RunPython(fill_columns, migrations.RunPython.noop),
    ]
