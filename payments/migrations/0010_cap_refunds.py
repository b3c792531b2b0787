"""The database itself counts what is given back, refuses what exceeds a line or a payment, and keeps the record as it is.

Triggers keep the counters, so that no code path can forget one, and none can count a failure twice. A counter is one
row's column with a check: two transactions that refund at once meet at that row, and the second sees the first.
"""

import django.db.models.deletion
from django.db import migrations, models

COUNT = """
CREATE FUNCTION payments_is_live_refund(status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT status NOT IN ('failed', 'canceled')
$$;

-- A refund that begins or ceases to be live: count it on its payment, and what is allocated of it on its lines.
CREATE FUNCTION payments_count_refund() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change integer := payments_is_live_refund(NEW.status)::integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        change := change - payments_is_live_refund(OLD.status)::integer;
    END IF;
    IF change = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE payments_payment SET refunded_minor = refunded_minor + change * NEW.amount_minor
     WHERE id = NEW.payment_id AND currency = NEW.currency;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A refund is in the currency of its payment.' USING ERRCODE = 'check_violation';
    END IF;
    UPDATE payments_orderline AS line
       SET refunded_minor = refunded_minor + change * part.amount_minor,
           refunded_fee_minor = refunded_fee_minor + change * part.fee_minor,
           refunded_share_minor = refunded_share_minor + change * part.share_minor,
           refunded_tax_minor = refunded_tax_minor + change * part.tax_minor,
           refunded_quantity = refunded_quantity + change * part.quantity
      FROM payments_refundallocation AS part
     WHERE part.refund_id = NEW.id AND line.id = part.line_id;
    RETURN NULL;
END $$;

-- Updating the refund first locks it: its status cannot change between counting the part and committing.
CREATE FUNCTION payments_count_refund_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    refund payments_refund;
BEGIN
    UPDATE payments_refund SET allocated_minor = allocated_minor + NEW.amount_minor
     WHERE id = NEW.refund_id RETURNING * INTO refund;
    IF NOT EXISTS (
        SELECT FROM payments_orderline JOIN payments_payment USING (order_id)
         WHERE payments_orderline.id = NEW.line_id AND payments_payment.id = refund.payment_id
    ) THEN
        RAISE EXCEPTION 'A refund is allocated to lines of the order that its payment paid.'
              USING ERRCODE = 'check_violation';
    END IF;
    IF payments_is_live_refund(refund.status) THEN
        UPDATE payments_orderline
           SET refunded_minor = refunded_minor + NEW.amount_minor,
               refunded_fee_minor = refunded_fee_minor + NEW.fee_minor,
               refunded_share_minor = refunded_share_minor + NEW.share_minor,
               refunded_tax_minor = refunded_tax_minor + NEW.tax_minor,
               refunded_quantity = refunded_quantity + NEW.quantity
         WHERE id = NEW.line_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payments_count_refund AFTER INSERT OR UPDATE OF status ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_count_refund();
CREATE TRIGGER payments_count_refund_allocation AFTER INSERT ON payments_refundallocation
    FOR EACH ROW EXECUTE FUNCTION payments_count_refund_allocation();
"""

DO_NOT_COUNT = """
DROP TRIGGER payments_count_refund_allocation ON payments_refundallocation;
DROP TRIGGER payments_count_refund ON payments_refund;
DROP FUNCTION payments_count_refund_allocation();
DROP FUNCTION payments_count_refund();
DROP FUNCTION payments_is_live_refund(text);
"""

# `pg_trigger_depth() = 0` is a statement of ours; the counting triggers write at depth 1.
KEEP = """
CREATE FUNCTION payments_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER payments_refund_is_kept BEFORE DELETE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Refunds are kept.');
CREATE TRIGGER payments_refund_is_frozen BEFORE UPDATE ON payments_refund FOR EACH ROW
    WHEN ((OLD.payment_id, OLD.amount_minor, OLD.currency, OLD.reason)
          IS DISTINCT FROM (NEW.payment_id, NEW.amount_minor, NEW.currency, NEW.reason))
    EXECUTE FUNCTION payments_refuse_change('What a refund is about never changes.');
CREATE TRIGGER payments_refund_is_over BEFORE UPDATE OF status ON payments_refund FOR EACH ROW
    WHEN (NOT payments_is_live_refund(OLD.status) AND NEW.status <> OLD.status)
    EXECUTE FUNCTION payments_refuse_change('A refund that failed or was cancelled stays so.');
CREATE TRIGGER payments_refund_is_counted BEFORE UPDATE ON payments_refund FOR EACH ROW
    WHEN (OLD.allocated_minor <> NEW.allocated_minor AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION payments_refuse_change('Triggers count what is allocated.');
CREATE TRIGGER payments_refund_allocation_is_kept BEFORE UPDATE OR DELETE ON payments_refundallocation
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Allocations of refunds are kept as they are.');
CREATE TRIGGER payments_payment_refunded_is_counted BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN (OLD.refunded_minor <> NEW.refunded_minor AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION payments_refuse_change('Triggers count what is refunded of a payment.');
CREATE TRIGGER payments_line_refunded_is_counted BEFORE UPDATE ON payments_orderline FOR EACH ROW
    WHEN ((OLD.refunded_minor, OLD.refunded_fee_minor, OLD.refunded_share_minor, OLD.refunded_tax_minor,
           OLD.refunded_quantity)
          IS DISTINCT FROM
          (NEW.refunded_minor, NEW.refunded_fee_minor, NEW.refunded_share_minor, NEW.refunded_tax_minor,
           NEW.refunded_quantity)
          AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION payments_refuse_change('Triggers count what is refunded of a line.');

-- At commit, since the allocations are written after the refund. Allocations only grow and amounts never change, so
-- what holds once holds for ever.
CREATE FUNCTION payments_refund_names_its_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payments_refund WHERE id = NEW.id AND allocated_minor <> amount_minor) THEN
        RAISE EXCEPTION 'All of a refund requested here belongs to lines.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payments_refund_names_its_lines AFTER INSERT ON payments_refund
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.reason NOT IN ('second_payment', 'made_at_stripe'))
    EXECUTE FUNCTION payments_refund_names_its_lines();
"""

DO_NOT_KEEP = """
DROP TRIGGER payments_refund_names_its_lines ON payments_refund;
DROP FUNCTION payments_refund_names_its_lines();
DROP TRIGGER payments_line_refunded_is_counted ON payments_orderline;
DROP TRIGGER payments_payment_refunded_is_counted ON payments_payment;
DROP TRIGGER payments_refund_allocation_is_kept ON payments_refundallocation;
DROP TRIGGER payments_refund_is_counted ON payments_refund;
DROP TRIGGER payments_refund_is_over ON payments_refund;
DROP TRIGGER payments_refund_is_frozen ON payments_refund;
DROP TRIGGER payments_refund_is_kept ON payments_refund;
DROP FUNCTION payments_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0009_move_refunds_to_payments")]

    operations = [
        migrations.RemoveField("refund", "line"),
        migrations.AlterField(
            "refund",
            "payment",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="refunds", to="payments.payment"
            ),
        ),
        migrations.RunSQL(COUNT, DO_NOT_COUNT),
        migrations.RunSQL(KEEP, DO_NOT_KEEP),
    ]
