"""The kind of difference called a bank payout is one of the platform; a bank payout goes to a teacher's bank."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0034_payouts_found_at_stripe"),
    ]

    operations = [
        migrations.RunSQL(
            "UPDATE payments_difference SET kind = 'platform_payout' WHERE kind = 'bank_payout'",
            "UPDATE payments_difference SET kind = 'bank_payout' WHERE kind = 'platform_payout'",
        ),
        migrations.AlterField(
            model_name="difference",
            name="kind",
            field=models.CharField(
                choices=[
                    ("missing_event", "Missing event"),
                    ("missing_fee", "Missing fee"),
                    ("further_fees", "Fee with further parts"),
                    ("dispute_not_booked", "Dispute as adjustment"),
                    ("reserve", "Reserve"),
                    ("prefunding", "Prefunding"),
                    ("outside_charge", "Charge outside the site"),
                    ("instant_payout_fee", "Instant payout fee"),
                    ("advance", "Advance or repayment"),
                    ("stripe_fee", "Fee of the account"),
                    ("platform_payout", "Payout to the platform's bank"),
                    ("failed_payout", "Failed payout not returned"),
                    ("refund_failed", "Refund failed after it succeeded"),
                    ("refund_by_hand", "Refund made by hand"),
                    ("refund_not_here", "Refund at Stripe but not here"),
                    ("transfer_not_here", "Transfer at Stripe but not here"),
                    ("transfer_by_hand", "Transfer made by hand"),
                    ("reversal_by_hand", "Transfer reversed by hand"),
                    ("payment_returned", "Payment returned by the bank"),
                    ("amount_differs", "Amount or currency differs"),
                    ("conversion_residue", "Conversion not booked"),
                    ("not_booked", "Recorded but not in the ledger"),
                    ("not_at_stripe", "In the books but not at Stripe"),
                    ("cut_off", "Cut-off"),
                    ("wrong_mode", "Wrong mode or account"),
                    ("double", "Double"),
                    ("unknown_type", "Unknown type"),
                    ("remainder", "Remainder"),
                ],
                max_length=20,
            ),
        ),
    ]
