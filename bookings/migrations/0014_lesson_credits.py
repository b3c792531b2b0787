"""Lessons are paid, or taken with a lesson credit of a plan."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("bookings", "0013_index_newest_first"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CreditTerms",
            fields=[
                (
                    "teacher",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="credit_terms",
                        serialize=False,
                        to="accounts.teacher",
                    ),
                ),
                (
                    "longest_minutes",
                    models.PositiveSmallIntegerField(
                        default=60,
                        validators=[
                            django.core.validators.MinValueValidator(15),
                            django.core.validators.MaxValueValidator(480),
                        ],
                        verbose_name="longest lesson for one credit, in minutes",
                    ),
                ),
                ("least_values", models.JSONField(default=dict)),
                ("agreed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "terms for lesson credits",
                "verbose_name_plural": "terms for lesson credits",
            },
        ),
        migrations.RemoveConstraint(
            model_name="lesson",
            name="lesson_confirmed_by_a_line",
        ),
        migrations.RemoveConstraint(
            model_name="lesson",
            name="lesson_proposed_is_unpaid",
        ),
        migrations.AddField(
            model_name="lesson",
            name="credit_ended_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="lesson",
            name="is_by_credit",
            field=models.BooleanField(db_default=False, default=False, verbose_name="by lesson credit"),
        ),
        migrations.AddConstraint(
            model_name="lesson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["confirmed", "completed", "no_show"]), _negated=True),
                    ("order_line_id__isnull", False),
                    ("is_by_credit", True),
                    _connector="OR",
                ),
                name="lesson_confirmed_by_a_line_or_credit",
            ),
        ),
        migrations.AddConstraint(
            model_name="lesson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "proposed"), _negated=True),
                    models.Q(("is_by_credit", False), ("order_line_id__isnull", True)),
                    _connector="OR",
                ),
                name="lesson_proposed_is_unpaid",
            ),
        ),
        migrations.AddConstraint(
            model_name="lesson",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit_ended_at__isnull", True), ("is_by_credit", False)),
                    models.Q(("is_by_credit", True), ("order_line_id__isnull", True)),
                    _connector="OR",
                ),
                name="lesson_paid_one_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="creditterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("longest_minutes__range", (15, 480))), name="credit_terms_length_sensible"
            ),
        ),
    ]
