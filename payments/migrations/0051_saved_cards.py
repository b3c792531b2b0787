"""Saved cards, copied from Stripe, and payments that charge one at once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0050_countries_of_payers"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="methods_as_of",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="customer",
            name="refresh_requested_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="payment",
            name="intent_request",
            field=models.JSONField(db_default={}, default=dict, editable=False),
        ),
        migrations.CreateModel(
            name="PaymentMethod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("stripe_payment_method_id", models.CharField(max_length=100, unique=True)),
                ("kind", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=60)),
                ("last_four", models.CharField(blank=True, max_length=4)),
                ("expires_year", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("expires_month", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("is_default", models.BooleanField(default=False)),
                ("is_offered_again", models.BooleanField(default=False)),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="methods", to="payments.customer"
                    ),
                ),
            ],
            options={
                "ordering": ["-is_default", "-pk"],
            },
        ),
    ]
