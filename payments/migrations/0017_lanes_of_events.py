from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0016_look_up_earlier_charges")]

    operations = [
        migrations.CreateModel(
            name="FetchedEvent",
            fields=[],
            options={
                "verbose_name": "webhook event to fetch for",
                "verbose_name_plural": "webhook events to fetch for",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("payments.webhookevent",),
        ),
        migrations.AddField(
            model_name="webhookevent",
            name="needs_fetch",
            field=models.BooleanField(db_default=False, editable=False),
        ),
    ]
