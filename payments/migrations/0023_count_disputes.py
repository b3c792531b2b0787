"""The database itself counts what disputes take of a payment and its lines, and keeps what happened as it was.

As for refunds: triggers keep the counters, checks cap them, and no statement of ours may write a counter.
"""

from django.db import migrations

COUNT = """
CREATE FUNCTION payments_count_dispute() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint := NEW.claimed_minor;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        change := change - OLD.claimed_minor;
    END IF;
    IF change <> 0 THEN
        UPDATE payments_payment SET disputed_minor = disputed_minor + change WHERE id = NEW.payment_id;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION payments_count_dispute_allocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    amount bigint := NEW.amount_minor;
    fee bigint := NEW.fee_minor;
    share bigint := NEW.share_minor;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        amount := amount - OLD.amount_minor;
        fee := fee - OLD.fee_minor;
        share := share - OLD.share_minor;
    END IF;
    UPDATE payments_orderline AS line
       SET disputed_minor = line.disputed_minor + amount,
           disputed_fee_minor = line.disputed_fee_minor + fee,
           disputed_share_minor = line.disputed_share_minor + share
      FROM payments_payment AS payment JOIN payments_dispute AS dispute ON dispute.payment_id = payment.id
     WHERE dispute.id = NEW.dispute_id AND line.id = NEW.line_id AND line.order_id = payment.order_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A dispute is allocated to lines of the order that its payment paid.'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER payments_count_dispute AFTER INSERT OR UPDATE OF claimed_minor ON payments_dispute
    FOR EACH ROW EXECUTE FUNCTION payments_count_dispute();
CREATE TRIGGER payments_count_dispute_allocation AFTER INSERT OR UPDATE ON payments_disputeallocation
    FOR EACH ROW EXECUTE FUNCTION payments_count_dispute_allocation();
"""

DO_NOT_COUNT = """
DROP TRIGGER payments_count_dispute_allocation ON payments_disputeallocation;
DROP TRIGGER payments_count_dispute ON payments_dispute;
DROP FUNCTION payments_count_dispute_allocation();
DROP FUNCTION payments_count_dispute();
"""

KEEP = """
CREATE TRIGGER payments_dispute_is_kept BEFORE DELETE ON payments_dispute
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Disputes are kept.');
CREATE TRIGGER payments_dispute_is_frozen BEFORE UPDATE ON payments_dispute FOR EACH ROW
    WHEN ((OLD.payment_id, OLD.stripe_dispute_id) IS DISTINCT FROM (NEW.payment_id, NEW.stripe_dispute_id))
    EXECUTE FUNCTION payments_refuse_change('Which payment a dispute is about never changes.');
CREATE TRIGGER payments_dispute_movement_is_kept BEFORE UPDATE OR DELETE ON payments_disputemovement
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Movements of disputes are kept as they are.');
CREATE TRIGGER payments_dispute_allocation_is_kept BEFORE DELETE ON payments_disputeallocation
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Allocations of disputes are kept.');
CREATE TRIGGER payments_dispute_allocation_is_frozen BEFORE UPDATE ON payments_disputeallocation FOR EACH ROW
    WHEN ((OLD.dispute_id, OLD.line_id) IS DISTINCT FROM (NEW.dispute_id, NEW.line_id))
    EXECUTE FUNCTION payments_refuse_change('An allocation keeps its dispute and line.');
CREATE TRIGGER payments_payment_disputed_is_counted BEFORE UPDATE ON payments_payment FOR EACH ROW
    WHEN (OLD.disputed_minor <> NEW.disputed_minor AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION payments_refuse_change('Triggers count what is disputed of a payment.');
CREATE TRIGGER payments_line_disputed_is_counted BEFORE UPDATE ON payments_orderline FOR EACH ROW
    WHEN ((OLD.disputed_minor, OLD.disputed_fee_minor, OLD.disputed_share_minor)
          IS DISTINCT FROM (NEW.disputed_minor, NEW.disputed_fee_minor, NEW.disputed_share_minor)
          AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION payments_refuse_change('Triggers count what is disputed of a line.');

-- At commit, since claim and allocations are written one after the other. A second payment of an order paid for none of
-- its lines, so its disputes belong to none.
CREATE FUNCTION payments_dispute_names_its_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed_id bigint := CASE TG_TABLE_NAME WHEN 'payments_dispute' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                            ELSE (to_jsonb(NEW) ->> 'dispute_id')::bigint END;
BEGIN
    IF EXISTS (
        SELECT FROM payments_dispute AS dispute JOIN payments_payment AS payment ON payment.id = dispute.payment_id
         WHERE dispute.id = changed_id
           AND CASE payment.status WHEN 'succeeded' THEN dispute.claimed_minor ELSE 0 END
               <> (SELECT COALESCE(sum(amount_minor), 0) FROM payments_disputeallocation WHERE dispute_id = changed_id)
    ) THEN
        RAISE EXCEPTION 'All that a dispute claims belongs to lines.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payments_dispute_names_its_lines AFTER INSERT OR UPDATE OF claimed_minor ON payments_dispute
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_dispute_names_its_lines();
CREATE CONSTRAINT TRIGGER payments_dispute_allocation_is_claimed AFTER INSERT OR UPDATE ON payments_disputeallocation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_dispute_names_its_lines();
"""

DO_NOT_KEEP = """
DROP TRIGGER payments_dispute_allocation_is_claimed ON payments_disputeallocation;
DROP TRIGGER payments_dispute_names_its_lines ON payments_dispute;
DROP FUNCTION payments_dispute_names_its_lines();
DROP TRIGGER payments_line_disputed_is_counted ON payments_orderline;
DROP TRIGGER payments_payment_disputed_is_counted ON payments_payment;
DROP TRIGGER payments_dispute_allocation_is_frozen ON payments_disputeallocation;
DROP TRIGGER payments_dispute_allocation_is_kept ON payments_disputeallocation;
DROP TRIGGER payments_dispute_movement_is_kept ON payments_disputemovement;
DROP TRIGGER payments_dispute_is_frozen ON payments_dispute;
DROP TRIGGER payments_dispute_is_kept ON payments_dispute;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0022_disputes")]

    operations = [
        migrations.RunSQL(COUNT, DO_NOT_COUNT),
        migrations.RunSQL(KEEP, DO_NOT_KEEP),
    ]
