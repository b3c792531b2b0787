"""Orders know how much tax was added to prices, and lines how much of it the platform owes: a part beside fee and share."""

import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_tax_numbers_of_teachers"),
        ("pages", "0003_first_texts"),
        ("payments", "0048_carts_of_one_item"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="disputeallocation",
            name="dispute_allocation_fee_and_share_are_the_amount",
        ),
        migrations.RemoveConstraint(
            model_name="order",
            name="order_total_adds_up",
        ),
        migrations.RemoveConstraint(
            model_name="order",
            name="order_tax_within_total",
        ),
        migrations.RemoveConstraint(
            model_name="orderline",
            name="order_line_fee_and_share_are_the_amount",
        ),
        migrations.RemoveConstraint(
            model_name="orderline",
            name="order_line_amount_adds_up",
        ),
        migrations.RemoveConstraint(
            model_name="orderline",
            name="order_line_taken_parts_within_parts",
        ),
        migrations.RemoveConstraint(
            model_name="refundallocation",
            name="refund_allocation_fee_and_share_are_the_amount",
        ),
        migrations.AddField(
            model_name="order",
            name="is_taxed_by_stripe",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="order",
            name="tax_added_minor",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, help_text="The part of the tax that the list prices do not include."
            ),
        ),
        migrations.AddField(
            model_name="orderline",
            name="platform_tax_minor",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="orderline",
            name="tax_debtor_name",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=150),
        ),
        migrations.AddField(
            model_name="orderline",
            name="tax_debtor_number",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=40),
        ),
        migrations.AddField(
            model_name="orderline",
            name="tax_added_minor",
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddConstraint(
            model_name="disputeallocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("fee_minor"), "+", models.F("share_minor")
                        ),
                    )
                ),
                name="dispute_allocation_fee_and_share_within_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "total_minor",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("subtotal_minor"), "-", models.F("discount_minor")
                            ),
                            "+",
                            models.F("tax_added_minor"),
                        ),
                    )
                ),
                name="order_total_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="order",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tax_added_minor__lte", models.F("tax_minor")), ("tax_minor__lte", models.F("total_minor"))
                ),
                name="order_tax_within_total",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_minor",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("platform_fee_minor"), "+", models.F("teacher_share_minor")
                            ),
                            "+",
                            models.F("platform_tax_minor"),
                        ),
                    )
                ),
                name="order_line_fee_share_and_tax_are_the_amount",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_minor",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("unit_amount_minor"), "*", models.F("quantity")
                                ),
                                "-",
                                models.F("discount_minor"),
                            ),
                            "+",
                            models.F("tax_added_minor"),
                        ),
                    )
                ),
                name="order_line_amount_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "refunded_fee_minor__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("platform_fee_minor"), "-", models.F("disputed_fee_minor")
                        ),
                    ),
                    (
                        "refunded_share_minor__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("teacher_share_minor"), "-", models.F("disputed_share_minor")
                        ),
                    ),
                ),
                name="order_line_taken_parts_within_parts",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("tax_added_minor", 0), ("tax_added_minor", models.F("tax_minor")), _connector="OR"),
                    models.Q(("platform_tax_minor", 0), ("platform_tax_minor", models.F("tax_minor")), _connector="OR"),
                ),
                name="order_line_tax_is_of_one_kind",
            ),
        ),
        migrations.AddConstraint(
            model_name="orderline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("platform_tax_minor", 0),
                        (
                            "refunded_minor",
                            django.db.models.expressions.CombinedExpression(
                                models.F("refunded_fee_minor"), "+", models.F("refunded_share_minor")
                            ),
                        ),
                        (
                            "disputed_minor",
                            django.db.models.expressions.CombinedExpression(
                                models.F("disputed_fee_minor"), "+", models.F("disputed_share_minor")
                            ),
                        ),
                        ("refunded_tax_minor__lte", models.F("tax_minor")),
                    ),
                    models.Q(
                        ("platform_tax_minor__gt", 0),
                        (
                            "refunded_minor",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    models.F("refunded_fee_minor"), "+", models.F("refunded_share_minor")
                                ),
                                "+",
                                models.F("refunded_tax_minor"),
                            ),
                        ),
                        (
                            "disputed_minor__gte",
                            django.db.models.expressions.CombinedExpression(
                                models.F("disputed_fee_minor"), "+", models.F("disputed_share_minor")
                            ),
                        ),
                        (
                            "refunded_tax_minor__lte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("platform_tax_minor"), "-", models.F("disputed_minor")
                                    ),
                                    "+",
                                    models.F("disputed_fee_minor"),
                                ),
                                "+",
                                models.F("disputed_share_minor"),
                            ),
                        ),
                    ),
                    _connector="OR",
                ),
                name="order_line_taken_tax_within_tax",
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
                    ),
                    (
                        "amount_minor",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("fee_minor"), "+", models.F("share_minor")
                            ),
                            "+",
                            models.F("tax_minor"),
                        ),
                    ),
                    _connector="OR",
                ),
                name="refund_allocation_parts_are_the_amount",
            ),
        ),
    ]
