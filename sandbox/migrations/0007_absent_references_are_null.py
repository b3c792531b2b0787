"""Only references that are there are indexed, and the indexes are as exact as the queries, in their order.

Without statistics SQLite otherwise prefers an index of the kind and the account, and walks all ten thousand of a kind.
"""

from typing import Any

from django.db import migrations, models

REFERENCES = ("customer", "payment_intent", "charge", "product", "source", "payout")
REPLACED = ("customer", "payment_intent", "charge", "subtype", "payout", "source_and_customer")


def forget_empty_references(apps: Any, _schema_editor: Any) -> None:
    for name in REFERENCES:
        apps.get_model("sandbox", "StoredObject").objects.filter(**{name: ""}).update(**{name: None})


def index_by(name: str, **condition: models.Q) -> migrations.AddIndex:
    fields = ["kind", name, "account", "-sequence"]
    return migrations.AddIndex("storedobject", models.Index(fields=fields, name=f"object_by_{name}", **condition))


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0006_objects_of_an_object_and_a_customer"),
    ]

    operations = [
        *(migrations.RemoveIndex("storedobject", f"object_by_{name}") for name in REPLACED),
        migrations.RemoveIndex("storedobject", "object_balance_sums"),
        *(
            migrations.AlterField("storedobject", name, models.CharField(max_length=120, null=True))
            for name in REFERENCES
        ),
        migrations.RunPython(forget_empty_references, migrations.RunPython.noop),
        *(index_by(name, condition=models.Q(**{f"{name}__isnull": False})) for name in REFERENCES),
        index_by("subtype"),
        index_by("status"),
        migrations.AddIndex(
            "storedobject",
            models.Index(
                fields=["kind", "account", "status", "currency", "net"],
                name="object_balance_sums",
                condition=models.Q(net__isnull=False),
            ),
        ),
    ]
