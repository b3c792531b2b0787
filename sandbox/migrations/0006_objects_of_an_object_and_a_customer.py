from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0005_ids_by_kind_and_account"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="storedobject",
            name="object_by_source",
        ),
        migrations.AddIndex(
            model_name="storedobject",
            index=models.Index(fields=["kind", "source", "customer"], name="object_by_source_and_customer"),
        ),
    ]
