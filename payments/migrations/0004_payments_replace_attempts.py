"""A payment is one try to pay an order; the table, its states and its constraints get the field's usual names."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

RENAMED = {"creating": "created", "paid": "succeeded", "refused": "failed"}


def rename_states(apps, schema_editor):
    payment = apps.get_model("payments", "Payment")
    for old, new in RENAMED.items():
        payment.objects.filter(status=old).update(status=new)


def restore_states(apps, schema_editor):
    # What Stripe refused stays 'failed': the older code knows that state too.
    payment = apps.get_model("payments", "Payment")
    for old, new in RENAMED.items():
        if old != "refused":
            payment.objects.filter(status=new).update(status=old)


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_lighter_inbox")]

    operations = [
        migrations.RenameModel("PaymentAttempt", "Payment"),
        migrations.RenameIndex("payment", new_name="payments_payment_due", old_name="payments_paymentattempt_due"),
        migrations.RemoveConstraint("payment", "attempt_one_payable_per_order"),
        migrations.RemoveConstraint("payment", "attempt_one_paid_per_order"),
        migrations.AlterField(
            "payment",
            "order",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="payments.order"
            ),
        ),
        migrations.AlterField(
            "payment",
            "status",
            models.CharField(
                choices=[
                    ("created", "Created"),
                    ("open", "Open"),
                    ("processing", "Processing"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("expired", "Expired"),
                ],
                default="created",
                max_length=12,
            ),
        ),
        migrations.RunPython(rename_states, restore_states),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                condition=Q(("status__in", ["created", "open"])),
                fields=("order",),
                name="payment_one_payable_per_order",
            ),
        ),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                condition=Q(("status__in", ["processing", "succeeded"])),
                fields=("order",),
                name="payment_one_success_per_order",
            ),
        ),
    ]
