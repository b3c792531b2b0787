"""State only: what staff read when a row breaks a rule of the database, where they read the name of the rule before."""

from datetime import UTC, datetime

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("catalogue", "0010_say_what_rows_break"),
        ("workshops", "0010_store_canonical_time_zones"),
    ]

    operations = [
        migrations.AlterConstraint(
            model_name="workshop",
            name="workshop_capacity_in_range",
            constraint=models.CheckConstraint(
                condition=models.Q(("capacity__gte", 1), ("capacity__lte", 1000)),
                name="workshop_capacity_in_range",
                violation_error_message="Choose between 1 and 1000 places.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="workshop",
            name="workshop_registration_opens_before_it_closes",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("registration_opens_at__isnull", True),
                    ("registration_closes_at__isnull", True),
                    ("registration_opens_at__lt", models.F("registration_closes_at")),
                    _connector="OR",
                ),
                name="workshop_registration_opens_before_it_closes",
                violation_error_message="Registration must close after it opens.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="workshopprice",
            name="workshop_early_bird_is_cheaper_and_ends",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("early_bird_amount_minor__isnull", True), ("early_bird_until__isnull", True)),
                    models.Q(
                        ("early_bird_amount_minor__gt", 0),
                        ("early_bird_amount_minor__lt", models.F("amount_minor")),
                        ("early_bird_until__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="workshop_early_bird_is_cheaper_and_ends",
                violation_error_message="An early-bird price needs an end, and must be lower than the price.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="workshopsession",
            name="workshop_session_in_sensible_years",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__lt", datetime(2200, 1, 1, 0, 0, tzinfo=UTC)),
                    ("starts_at__gte", datetime(2000, 1, 1, 0, 0, tzinfo=UTC)),
                ),
                name="workshop_session_in_sensible_years",
                violation_error_message="Give years close to the current one.",
            ),
        ),
    ]
