"""Follow subscriptions up, and keep the page on which a late invoice can be paid."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("subscriptions", "0002_amounts_stay"),
    ]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="unpaid_invoice_url",
            field=models.URLField(blank=True, db_default="", default="", max_length=2000),
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("parked", "Parked"),
                        ],
                        db_default="waiting",
                        default="waiting",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "priority",
                    models.SmallIntegerField(db_default=0, default=0, editable=False, help_text="Lower runs first."),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                ("postponements", models.PositiveSmallIntegerField(db_default=0, default=0, editable=False)),
                (
                    "run_after",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("last_error", models.TextField(blank=True, db_default="", default="", editable=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                (
                    "subscription",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="follow_up",
                        to="subscriptions.subscription",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ["waiting", "running"])),
                        fields=["priority", "run_after"],
                        name="subscriptions_followup_due",
                    )
                ],
            },
        ),
    ]
