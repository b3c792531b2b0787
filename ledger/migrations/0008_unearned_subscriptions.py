"""Let the chart have unearned subscriptions. The table is small: a row per account, not per posting."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_store_canonical_time_zones"),
        ("ledger", "0007_read_balances_from_pages"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="account",
            name="ledger_account_fits_the_chart",
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        (
                            "kind__in",
                            [
                                "teacher_available",
                                "teacher_held",
                                "teacher_in_payout",
                                "teacher_pending",
                                "unearned_credits",
                            ],
                        ),
                        ("teacher__isnull", False),
                    ),
                    models.Q(
                        (
                            "kind__in",
                            [
                                "bank",
                                "conversion",
                                "dispute_fees",
                                "funds_in_dispute",
                                "payout_fees",
                                "platform_discounts",
                                "platform_fees",
                                "platform_losses",
                                "refunds_due",
                                "refunds_to_allocate",
                                "stripe_advance",
                                "stripe_clearing",
                                "stripe_fees",
                                "stripe_reserve",
                                "subscriptions_unearned",
                                "tax_payable",
                                "unexplained",
                            ],
                        ),
                        ("teacher__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="ledger_account_fits_the_chart",
            ),
        ),
        # Going back: an account on which nothing was booked goes; with postings it stays, and the constraint refuses.
        migrations.RunSQL(
            migrations.RunSQL.noop,
            """
            ALTER TABLE ledger_account DISABLE TRIGGER ledger_account_is_kept;
            DELETE FROM ledger_account a WHERE a.kind = 'subscriptions_unearned'
               AND NOT EXISTS (SELECT FROM ledger_posting p WHERE p.account_id = a.id);
            SET CONSTRAINTS ALL IMMEDIATE;
            ALTER TABLE ledger_account ENABLE TRIGGER ledger_account_is_kept;
            """,
        ),
    ]
