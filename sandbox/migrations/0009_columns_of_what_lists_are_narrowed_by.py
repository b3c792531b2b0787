"""Customers are found by their email, and others by what else their lists are narrowed by, without reading all of them."""

from typing import Any

from django.db import migrations

SOURCES = {
    "checkout.session": ("subscription",),
    "customer": ("email",),
    "payout": ("destination",),
    "price": ("lookup_key",),
    "promotion_code": ("promotion", "coupon"),
    "setup_attempt": ("setup_intent",),
    "setup_intent": ("payment_method",),
}
SUBTYPES = {"charge": ("transfer_group",), "transfer": ("destination",)}


def fill_columns(apps: Any, _schema_editor: Any) -> None:
    """Give the objects of an older file their columns."""
    stored = apps.get_model("sandbox", "StoredObject")
    for column, paths, nothing in (("source", SOURCES, None), ("subtype", SUBTYPES, "")):
        for row in stored.objects.filter(kind__in=paths, is_deleted=False).iterator():
            value = row.body
            for name in paths[row.kind]:
                value = value.get(name) if isinstance(value, dict) else None
            setattr(row, column, value if isinstance(value, str) and value else nothing)
            row.save(update_fields=[column])


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0008_due_deliveries_with_their_endpoint"),
    ]

    operations = [
        migrations.RunPython(fill_columns, migrations.RunPython.noop),
    ]
