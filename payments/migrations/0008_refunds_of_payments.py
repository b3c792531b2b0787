"""A refund belongs to one payment; allocations say how much of it belongs to which order line. Old columns stay for now."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

import payments.models.refund


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("payments", "0007_check_order_totals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundAllocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("fee_minor", models.PositiveBigIntegerField(help_text="What the platform gives back.")),
                ("share_minor", models.PositiveBigIntegerField(help_text="What the teacher gives back.")),
                ("tax_minor", models.PositiveBigIntegerField(help_text="The part of the amount that is tax.")),
                ("quantity", models.PositiveSmallIntegerField(help_text="How many places go back with the money.")),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="refund",
            name="refund_undeliverable_line_once",
        ),
        migrations.AlterField(
            model_name="refund",
            name="line",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.orderline"
            ),
        ),
        migrations.AddField(
            model_name="orderline",
            name="refunded_fee_minor",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="orderline",
            name="refunded_minor",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="orderline",
            name="refunded_quantity",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="orderline",
            name="refunded_share_minor",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="orderline",
            name="refunded_tax_minor",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="payment",
            name="refunded_minor",
            field=models.PositiveBigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="What was given back or is on its way. Counted by a trigger from the live refunds.",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="allocated_minor",
            field=models.PositiveBigIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="How much of it belongs to a line. Counted by a trigger.",
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="ended_at",
            field=models.DateTimeField(blank=True, help_text="When it failed or was cancelled.", null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="failure_reason",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="refund",
            name="payment",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="pending_reason",
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name="refund",
            name="request_key",
            field=models.CharField(blank=True, editable=False, max_length=100, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requested_refunds",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="succeeded_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="refund",
            name="idempotency_key",
            field=models.CharField(
                default=payments.models.refund.new_refund_key, editable=False, max_length=100, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="note",
            field=models.CharField(blank=True, help_text="For staff.", max_length=300),
        ),
        migrations.AlterField(
            model_name="refund",
            name="reason",
            field=models.CharField(
                choices=[
                    ("undeliverable", "paid, but could not be delivered"),
                    ("second_payment", "the order was already paid"),
                    ("student_cancelled", "the student cancelled"),
                    ("teacher_cancelled", "the teacher cancelled"),
                    ("goodwill", "Goodwill"),
                    ("made_at_stripe", "made in Stripe's Dashboard"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="refund",
            name="status",
            field=models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("pending", "sent, not yet confirmed"),
                    ("requires_action", "the student must act at Stripe"),
                    ("succeeded", "Succeeded"),
                    ("failed", "Failed"),
                    ("canceled", "cancelled"),
                ],
                default="requested",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_minor__lte", models.F("amount_minor"))),
                name="order_line_refunded_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("refunded_fee_minor__lte", models.F("platform_fee_minor")),
                    ("refunded_share_minor__lte", models.F("teacher_share_minor")),
                    ("refunded_tax_minor__lte", models.F("tax_minor")),
                    (
                        "refunded_minor",
                        django.db.models.expressions.CombinedExpression(
                            models.F("refunded_fee_minor"), "+", models.F("refunded_share_minor")
                        ),
                    ),
                ),
                name="order_line_refunded_parts_within_parts",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_quantity__lte", models.F("quantity"))),
                name="order_line_refunded_within_quantity",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("refunded_minor__lte", models.F("amount_minor"))),
                name="payment_refunded_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("allocated_minor__lte", models.F("amount_minor"))),
                name="refund_allocated_within_amount",
            ),
        ),
        migrations.AddField(
            model_name="refundallocation",
            name="line",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refund_allocations", to="payments.orderline"
            ),
        ),
        migrations.AddField(
            model_name="refundallocation",
            name="refund",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="payments.refund"
            ),
        ),
        migrations.AddConstraint(
            model_name="refundallocation",
            constraint=models.UniqueConstraint(fields=("refund", "line"), name="refund_allocation_once_per_line"),
        ),
        migrations.AddConstraint(
            model_name="refundallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0)), name="refund_allocation_of_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="refundallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_minor",
                        django.db.models.expressions.CombinedExpression(
                            models.F("fee_minor"), "+", models.F("share_minor")
                        ),
                    )
                ),
                name="refund_allocation_fee_and_share_are_the_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("tax_minor__lte", models.F("amount_minor"))),
                name="refund_allocation_tax_within_amount",
            ),
        ),
    ]
