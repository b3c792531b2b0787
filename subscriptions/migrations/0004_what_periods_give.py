"""What a paid period gives: lesson credits, slices of access with their shares, and what subscribers use."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("subscriptions", "0003_follow_ups"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscriptionperiod",
            name="opened_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="subscriptionperiod",
            name="revoked_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.CreateModel(
            name="AccessSlice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("amount_minor", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Not over"), ("shared", "Shared"), ("revoked", "Given back")],
                        db_default="open",
                        default="open",
                        max_length=7,
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="slices",
                        to="subscriptions.subscriptionperiod",
                    ),
                ),
            ],
            options={
                "ordering": ["period", "number"],
            },
        ),
        migrations.CreateModel(
            name="AccessShare",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "points",
                    models.PositiveIntegerField(
                        help_text="1 for each lesson opened in the slice, 1 more if it was finished."
                    ),
                ),
                ("fee_minor", models.PositiveBigIntegerField()),
                ("share_minor", models.PositiveBigIntegerField()),
                (
                    "teacher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="access_shares", to="accounts.teacher"
                    ),
                ),
                (
                    "slice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="shares",
                        to="subscriptions.accessslice",
                    ),
                ),
            ],
            options={
                "ordering": ["slice", "teacher"],
            },
        ),
        migrations.CreateModel(
            name="AccessUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("item", models.CharField(max_length=100)),
                ("used_on", models.DateField()),
                ("opened_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "subscription",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="uses",
                        to="subscriptions.subscription",
                    ),
                ),
                (
                    "teacher",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.teacher"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LessonCredit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField()),
                ("value_minor", models.PositiveBigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unused", "Not used"),
                            ("taken", "Used for a lesson to come"),
                            ("earned", "Earned by a teacher"),
                            ("lapsed", "Lapsed"),
                            ("revoked", "Taken back with a refund"),
                        ],
                        db_default="unused",
                        default="unused",
                        max_length=7,
                    ),
                ),
                (
                    "usable_until",
                    models.DateTimeField(help_text="The end of its period, or of the next one once that is paid."),
                ),
                ("is_carried", models.BooleanField(db_default=False, default=False, verbose_name="carried over")),
                ("used_for", models.CharField(blank=True, db_default="", default="", max_length=100)),
                ("title", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("commission_bps", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("taken_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "period",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lesson_credits",
                        to="subscriptions.subscriptionperiod",
                    ),
                ),
                (
                    "teacher",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lesson_credits",
                        to="accounts.teacher",
                    ),
                ),
            ],
            options={
                "ordering": ["period", "number"],
            },
        ),
        migrations.AddIndex(
            model_name="accessslice",
            index=models.Index(condition=models.Q(("state", "open")), fields=["ends_at"], name="slice_to_share"),
        ),
        migrations.AddConstraint(
            model_name="accessslice",
            constraint=models.UniqueConstraint(fields=("period", "number"), name="slice_once_per_period"),
        ),
        migrations.AddConstraint(
            model_name="accessslice",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="slice_ends_after_it_starts"
            ),
        ),
        migrations.AddConstraint(
            model_name="accessslice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("state", "open")),
                    models.Q(models.Q(("state", "open"), _negated=True), ("ended_at__isnull", False)),
                    _connector="OR",
                ),
                name="slice_ends_at_a_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="accessshare",
            constraint=models.UniqueConstraint(fields=("slice", "teacher"), name="access_share_once_per_teacher"),
        ),
        migrations.AddIndex(
            model_name="accessuse",
            index=models.Index(fields=["subscription", "opened_at"], name="access_use_of_subscription"),
        ),
        migrations.AddConstraint(
            model_name="accessuse",
            constraint=models.UniqueConstraint(
                fields=("subscription", "item", "used_on"), name="access_use_once_a_day"
            ),
        ),
        migrations.AddIndex(
            model_name="lessoncredit",
            index=models.Index(
                condition=models.Q(("state", "unused")), fields=["usable_until"], name="credit_to_lapse"
            ),
        ),
        migrations.AddIndex(
            model_name="lessoncredit",
            index=models.Index(fields=["teacher", "ended_at"], name="credit_of_teacher"),
        ),
        migrations.AddConstraint(
            model_name="lessoncredit",
            constraint=models.UniqueConstraint(fields=("period", "number"), name="credit_once_per_period"),
        ),
        migrations.AddConstraint(
            model_name="lessoncredit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("used_for", ""), _negated=True), fields=("used_for",), name="credit_once_per_use"
            ),
        ),
        migrations.AddConstraint(
            model_name="lessoncredit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("commission_bps__isnull", False),
                        ("state__in", ["taken", "earned"]),
                        ("taken_at__isnull", False),
                        ("teacher__isnull", False),
                        models.Q(("used_for", ""), _negated=True),
                    ),
                    models.Q(
                        ("commission_bps__isnull", True),
                        ("state__in", ["unused", "lapsed", "revoked"]),
                        ("taken_at__isnull", True),
                        ("teacher__isnull", True),
                        ("used_for", ""),
                    ),
                    _connector="OR",
                ),
                name="credit_taken_for_something",
            ),
        ),
        migrations.AddConstraint(
            model_name="lessoncredit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at__isnull", True), ("state__in", ["unused", "taken"])),
                    models.Q(("ended_at__isnull", False), ("state__in", ["earned", "lapsed", "revoked"])),
                    _connector="OR",
                ),
                name="credit_ends_at_a_moment",
            ),
        ),
    ]
