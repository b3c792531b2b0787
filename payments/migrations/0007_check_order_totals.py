"""The database refuses an order whose lines do not add up to it, once the transaction that wrote it is complete."""

from django.db import migrations, models
from django.db.models import F, Q

CHECK = """
CREATE FUNCTION payments_check_order_totals() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint[];
    wrong text;
BEGIN
    IF TG_TABLE_NAME = 'payments_order' THEN
        checked := ARRAY[NEW.id];
    ELSE
        checked := ARRAY[NEW.order_id, OLD.order_id];
    END IF;
    SELECT o.number INTO wrong
    FROM payments_order o
    WHERE o.id = ANY (checked)
      AND (o.subtotal_minor, o.discount_minor, o.total_minor, o.tax_minor) <> (
        SELECT coalesce(sum(l.unit_amount_minor * l.quantity), 0), coalesce(sum(l.discount_minor), 0),
               coalesce(sum(l.amount_minor), 0), coalesce(sum(l.tax_minor), 0)
        FROM payments_orderline l WHERE l.order_id = o.id
    );
    IF FOUND THEN
        RAISE EXCEPTION 'The lines of order % do not add up to it.', wrong USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payments_order_adds_up
    AFTER INSERT OR UPDATE OF subtotal_minor, discount_minor, total_minor, tax_minor ON payments_order
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_check_order_totals();
CREATE CONSTRAINT TRIGGER payments_order_adds_up
    AFTER INSERT OR DELETE
        OR UPDATE OF order_id, unit_amount_minor, quantity, discount_minor, amount_minor, tax_minor
    ON payments_orderline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_check_order_totals();
"""
UNCHECK = """
DROP TRIGGER payments_order_adds_up ON payments_orderline;
DROP TRIGGER payments_order_adds_up ON payments_order;
DROP FUNCTION payments_check_order_totals();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_order_totals")]

    operations = [
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(
                condition=Q(("total_minor", F("subtotal_minor") - F("discount_minor"))), name="order_total_adds_up"
            ),
        ),
        migrations.AddConstraint(
            "order",
            models.CheckConstraint(condition=Q(("tax_minor__lte", F("total_minor"))), name="order_tax_within_total"),
        ),
        migrations.RunSQL(CHECK, UNCHECK),
    ]
