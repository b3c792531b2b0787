"""A payment keeps the request of its session, its moments, and what Stripe says about charge and fee."""

from django.db import migrations, models
from django.db.models.functions import Now

FACTS = (
    "status",
    "expires_at",
    "ended_at",
    "succeeded_at",
    "stripe_session_id",
    "stripe_payment_intent_id",
    "stripe_charge_id",
    "stripe_balance_transaction_id",
    "stripe_fee_minor",
    "failure_message",
    "refunded_minor",
)
TOUCH = f"""
CREATE FUNCTION payments_touch_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := statement_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER payments_touch_payment BEFORE UPDATE ON payments_payment
    FOR EACH ROW
    WHEN (ROW({", ".join(f"OLD.{name}" for name in FACTS)}) IS DISTINCT FROM ROW({", ".join(f"NEW.{name}" for name in FACTS)}))
    EXECUTE FUNCTION payments_touch_payment();
"""
LEAVE = """
DROP TRIGGER payments_touch_payment ON payments_payment;
DROP FUNCTION payments_touch_payment();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_defaults_of_durable_work")]

    operations = [
        migrations.AddField("payment", "session_request", models.JSONField(default=dict, editable=False)),
        migrations.AddField("payment", "ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField("payment", "succeeded_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField("payment", "updated_at", models.DateTimeField(db_default=Now(), editable=False)),
        migrations.AddField("payment", "looked_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("payment", "looks", models.PositiveSmallIntegerField(default=0, editable=False)),
        migrations.AddField(
            "payment", "stripe_charge_id", models.CharField(blank=True, max_length=100, null=True, unique=True)
        ),
        migrations.AddField(
            "payment",
            "stripe_balance_transaction_id",
            models.CharField(blank=True, max_length=100, null=True, unique=True),
        ),
        migrations.AddField("payment", "stripe_fee_minor", models.BigIntegerField(blank=True, null=True)),
        migrations.AddField("payment", "stripe_fee_currency", models.CharField(blank=True, default="", max_length=3)),
        migrations.RunSQL(TOUCH, LEAVE),
    ]
