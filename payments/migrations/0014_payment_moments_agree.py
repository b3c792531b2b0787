"""The database itself keeps a payment's state and its moments in step."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("payments", "0013_payment_moments_filled")]

    operations = [
        migrations.RemoveConstraint("payment", "payment_one_payable_per_order"),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                condition=Q(("ended_at__isnull", True)), fields=("order",), name="payment_one_payable_per_order"
            ),
        ),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=Q(
                    ("status", "failed"),
                    Q(("ended_at__isnull", True), ("status__in", ["created", "open"])),
                    Q(("ended_at__isnull", False), ("status__in", ["processing", "succeeded", "expired"])),
                    _connector="OR",
                ),
                name="payment_ended_with_its_status",
            ),
        ),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=Q(
                    Q(("status", "succeeded"), ("succeeded_at__isnull", False)),
                    Q(Q(("status", "succeeded"), _negated=True), ("succeeded_at__isnull", True)),
                    _connector="OR",
                ),
                name="payment_succeeded_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            "payment",
            models.CheckConstraint(
                condition=Q(
                    Q(("stripe_fee_currency", ""), ("stripe_fee_minor__isnull", True)),
                    Q(("stripe_fee_minor__isnull", False), Q(("stripe_fee_currency", ""), _negated=True)),
                    _connector="OR",
                ),
                name="payment_fee_has_a_currency",
            ),
        ),
    ]
