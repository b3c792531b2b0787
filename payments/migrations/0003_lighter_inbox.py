import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_refuse_stored_keys")]

    operations = [
        # The new constraint stands before the old one goes, so an event is stored once at every moment.
        migrations.AddConstraint(
            model_name="webhookevent",
            constraint=models.UniqueConstraint(fields=("stripe_id",), name="event_stored_once"),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="stripe_id",
            field=models.CharField(max_length=100),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=models.Index(condition=models.Q(("order__isnull", False)), fields=["order"], name="event_of_order"),
        ),
        migrations.AlterField(
            model_name="webhookevent",
            name="order",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="events",
                to="payments.order",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookevent",
            index=django.contrib.postgres.indexes.BrinIndex(fields=["created_at"], name="event_by_time"),
        ),
        migrations.RemoveIndex(model_name="webhookevent", name="event_type_and_time"),
    ]
