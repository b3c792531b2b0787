"""The database itself counts the uses of codes and refuses what exceeds a limit.

Each use that begins to count updates its code's row. Two orders that want the last one meet there: the second waits for
the first and then sees it, whatever the code of the site checked before.
"""

from django.db import migrations

COUNT = """
CREATE FUNCTION payments_is_counted_redemption(state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT state IN ('held', 'confirmed')
$$;

CREATE FUNCTION payments_count_redemption() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change integer := payments_is_counted_redemption(NEW.state)::integer;
    counted payments_discountcode;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        change := change - payments_is_counted_redemption(OLD.state)::integer;
    END IF;
    IF change = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE payments_discountcode SET used = used + change WHERE id = NEW.code_id RETURNING * INTO counted;
    IF change > 0 AND counted.student_limit < (
        SELECT count(*) FROM payments_redemption
         WHERE code_id = NEW.code_id AND user_id = NEW.user_id AND payments_is_counted_redemption(state)
    ) THEN
        RAISE EXCEPTION 'The student has used this code as often as one person may.'
              USING ERRCODE = 'check_violation', CONSTRAINT = 'redemption_within_the_limit_of_a_student';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION payments_refuse_moved_redemption() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'A use stays with its code, order and student.' USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER payments_count_redemption AFTER INSERT OR UPDATE OF state ON payments_redemption
    FOR EACH ROW EXECUTE FUNCTION payments_count_redemption();
CREATE TRIGGER payments_refuse_moved_redemption BEFORE UPDATE ON payments_redemption FOR EACH ROW
    WHEN ((NEW.code_id, NEW.order_id, NEW.user_id) IS DISTINCT FROM (OLD.code_id, OLD.order_id, OLD.user_id))
    EXECUTE FUNCTION payments_refuse_moved_redemption();
"""

DO_NOT_COUNT = """
DROP TRIGGER payments_refuse_moved_redemption ON payments_redemption;
DROP TRIGGER payments_count_redemption ON payments_redemption;
DROP FUNCTION payments_refuse_moved_redemption();
DROP FUNCTION payments_count_redemption();
DROP FUNCTION payments_is_counted_redemption(text);
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0042_discount_codes")]

    operations = [migrations.RunSQL(COUNT, DO_NOT_COUNT)]
