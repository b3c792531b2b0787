"""Keep what each dispute took, step by step."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

KEEP = """
CREATE TRIGGER payments_dispute_step_is_kept BEFORE UPDATE OR DELETE ON payments_disputestep
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Steps of disputes are kept as they are.');
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0031_payouts_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="DisputeStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "taken",
                    models.JSONField(
                        help_text="In minor units of the payment's currency; see payments.disputes.taken."
                    ),
                ),
                (
                    "dispute",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="history", to="payments.dispute"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "constraints": [models.UniqueConstraint(fields=("dispute", "number"), name="dispute_step_once")],
            },
        ),
        migrations.RunSQL(KEEP, "DROP TRIGGER payments_dispute_step_is_kept ON payments_disputestep"),
    ]
