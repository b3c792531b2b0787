"""Keep the amounts of prices as they are: people subscribed to them, and Stripe's prices cannot change either."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION subscriptions_refuse_new_amount() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The amount of a plan''s price is never changed: add another price and archive this one.'
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER subscriptions_amount_stays BEFORE UPDATE ON subscriptions_planprice FOR EACH ROW
    WHEN ((OLD.plan_id, OLD.interval, OLD.currency, OLD.amount_minor, OLD.credits, OLD.credit_value_minor)
          IS DISTINCT FROM
          (NEW.plan_id, NEW.interval, NEW.currency, NEW.amount_minor, NEW.credits, NEW.credit_value_minor))
    EXECUTE FUNCTION subscriptions_refuse_new_amount();
"""

BACKWARD = """
DROP TRIGGER subscriptions_amount_stays ON subscriptions_planprice;
DROP FUNCTION subscriptions_refuse_new_amount();
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0001_plans_and_subscriptions")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
