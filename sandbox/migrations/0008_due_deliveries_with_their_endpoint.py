from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sandbox", "0007_absent_references_are_null"),
    ]

    operations = [
        migrations.RemoveIndex("delivery", "delivery_due"),
        migrations.AddIndex(
            "delivery", models.Index(fields=["state", "next_attempt_at", "endpoint"], name="delivery_due")
        ),
    ]
