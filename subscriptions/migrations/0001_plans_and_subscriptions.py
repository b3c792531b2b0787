"""Add plans, their prices, and subscriptions with what was paid for them."""

import uuid

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import money.models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("payments", "0047_platform_sells"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("slug", models.SlugField(max_length=80, unique=True)),
                ("summary", models.CharField(help_text="One sentence for the page of all plans.", max_length=160)),
                ("description", models.TextField(blank=True)),
                (
                    "is_on_sale",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Off: no one can subscribe any more. Subscriptions go on.",
                    ),
                ),
                (
                    "trial_days",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        help_text="Free days before the first payment, once per person. 0 for none.",
                        validators=[django.core.validators.MaxValueValidator(90)],
                    ),
                ),
                (
                    "grants_courses",
                    models.BooleanField(
                        db_default=False,
                        default=False,
                        help_text="Subscribers may take every course that its teacher includes in plans.",
                        verbose_name="access to courses",
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(db_default=0, default=0, help_text="Lower comes first.")),
                (
                    "stripe_product_id",
                    models.CharField(blank=True, editable=False, max_length=100, null=True, unique=True),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="PlanPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3, validators=[money.models.validate_currency])),
                (
                    "amount_minor",
                    models.PositiveBigIntegerField(
                        help_text="In the currency's smallest unit: 4500 is £45.00, but ¥4,500."
                    ),
                ),
                ("interval", models.CharField(choices=[("month", "Monthly"), ("year", "Yearly")], max_length=5)),
                (
                    "credits",
                    models.PositiveSmallIntegerField(
                        db_default=0,
                        default=0,
                        help_text="For each paid period: a month, or a whole year.",
                        verbose_name="lesson credits",
                    ),
                ),
                (
                    "credit_value_minor",
                    models.PositiveBigIntegerField(
                        db_default=0,
                        default=0,
                        help_text="What a lesson taken with a credit earns teacher and platform together, in the smallest unit.",
                        verbose_name="value of a credit",
                    ),
                ),
                (
                    "is_active",
                    models.BooleanField(
                        db_default=True, default=True, help_text="Off: archived. Subscriptions at this price go on."
                    ),
                ),
                (
                    "stripe_price_id",
                    models.CharField(blank=True, editable=False, max_length=100, null=True, unique=True),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="subscriptions.plan"
                    ),
                ),
            ],
            options={
                "ordering": ["interval", "currency", "pk"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Subscription",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("starting", "Not started"),
                            ("trialing", "In trial"),
                            ("active", "Active"),
                            ("past_due", "Payment failed"),
                            ("ended", "Ended"),
                        ],
                        db_default="starting",
                        default="starting",
                        max_length=8,
                    ),
                ),
                ("reference", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("stripe_subscription_id", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                ("version", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("idempotency_key", models.CharField(editable=False, max_length=100, unique=True)),
                ("session_request", models.JSONField(default=dict, editable=False)),
                ("stripe_session_id", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                ("session_url", models.URLField(blank=True, max_length=2000)),
                ("session_expires_at", models.DateTimeField(blank=True, null=True)),
                ("period_starts_at", models.DateTimeField(blank=True, null=True)),
                ("period_ends_at", models.DateTimeField(blank=True, null=True)),
                ("trial_ends_at", models.DateTimeField(blank=True, null=True)),
                ("cancel_at_period_end", models.BooleanField(db_default=False, default=False)),
                ("past_due_since", models.DateTimeField(blank=True, null=True)),
                ("grace_until", models.DateTimeField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("never_paid", "Never started"),
                            ("cancelled", "Cancelled by the student"),
                            ("payment_failed", "Renewal not paid"),
                            ("by_staff", "Ended by staff or at Stripe"),
                        ],
                        db_default="",
                        default="",
                        max_length=14,
                    ),
                ),
                (
                    "next_price",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions_to_come",
                        to="subscriptions.planprice",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to="subscriptions.planprice",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscriptions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("started", "Started"),
                            ("renewed", "Paid"),
                            ("plan_changed", "Plan changed"),
                            ("change_planned", "Change planned for the next period"),
                            ("change_dropped", "Planned change withdrawn"),
                            ("cancelled", "Cancelled at the end of the period"),
                            ("resumed", "Cancellation withdrawn"),
                            ("payment_failed", "Payment failed"),
                            ("recovered", "Paid after a failed payment"),
                            ("ended", "Ended"),
                        ],
                        max_length=14,
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("detail", models.CharField(blank=True, db_default="", default="", max_length=200)),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="subscriptions.planprice"
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="subscriptions.subscription",
                    ),
                ),
            ],
            options={
                "ordering": ["at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SubscriptionPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stripe_invoice_id", models.CharField(max_length=100, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("start", "Start"), ("renewal", "Renewal"), ("change", "Change of plan")], max_length=7
                    ),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("credits", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("credit_value_minor", models.PositiveBigIntegerField(db_default=0, default=0)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("closed_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "line",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="subscription_period",
                        to="payments.orderline",
                    ),
                ),
                (
                    "price",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="subscriptions.planprice",
                    ),
                ),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="periods",
                        to="subscriptions.subscription",
                    ),
                ),
            ],
            options={
                "ordering": ["starts_at", "pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount_minor__gt", 0), ("amount_minor__lte", 99999999)),
                name="planprice_can_be_charged",
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)),
                fields=("plan", "interval", "currency"),
                name="plan_price_one_active_per_interval_and_currency",
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("credits"), "*", models.F("credit_value_minor")
                        ),
                    )
                ),
                name="plan_price_covers_its_credits",
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit_value_minor", 0), ("credits", 0)),
                    models.Q(("credit_value_minor__gt", 0), ("credits__gt", 0)),
                    _connector="OR",
                ),
                name="plan_price_values_its_credits",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)), fields=("user",), name="subscription_one_live_per_user"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", False), ("status", "ended")),
                    models.Q(
                        models.Q(("status", "ended"), _negated=True), ("end_reason", ""), ("ended_at__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="subscription_ended_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["starting", "ended"]),
                    models.Q(
                        ("period_ends_at__isnull", False),
                        ("period_starts_at__isnull", False),
                        ("started_at__isnull", False),
                        ("stripe_subscription_id__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="subscription_live_is_known_at_stripe",
            ),
        ),
        migrations.AddConstraint(
            model_name="subscription",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("grace_until__isnull", False), ("past_due_since__isnull", False), ("status", "past_due")),
                    models.Q(
                        models.Q(("status", "past_due"), _negated=True),
                        ("grace_until__isnull", True),
                        ("past_due_since__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="subscription_past_due_has_a_grace",
            ),
        ),
        migrations.AddIndex(
            model_name="subscriptionchange",
            index=models.Index(fields=["kind", "at"], name="subscription_change_by_kind"),
        ),
        migrations.AddIndex(
            model_name="subscriptionperiod",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)), fields=["ends_at"], name="period_to_close"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="period_ends_after_it_starts"
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriptionperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount_minor__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("credits"), "*", models.F("credit_value_minor")
                        ),
                    )
                ),
                name="period_covers_its_credits",
            ),
        ),
    ]
