"""Reads what had taken effect by a moment from the pages of checkpoints."""

from django.db import migrations

# STABLE: all statements inside see the snapshot of the statement that calls them.
READ = """
-- What had taken effect by a moment of the postings below an account's first checkpoints, so many in number. They are a
-- few blocks, the largest first; the last page of a block that begins by then has the sum.
CREATE FUNCTION ledger_effective_sum(of_account bigint, checkpoints integer, effective_by timestamptz) RETURNS numeric
LANGUAGE plpgsql STABLE AS $$
DECLARE
    total numeric := 0;
    added bigint;
    done integer := 0;
    of_level smallint := 0;
    size integer := 1;
BEGIN
    WHILE size * 16 <= checkpoints LOOP
        size := size * 16;
        of_level := of_level + 1;
    END LOOP;
    WHILE done < checkpoints LOOP
        WHILE done + size > checkpoints LOOP
            size := size / 16;
            of_level := of_level - 1;
        END LOOP;
        SELECT sums[width_bucket(effective_by, effective)] INTO added FROM ledger_page
         WHERE account_id = of_account AND level = of_level AND block = done / size AND first_effective_at <= effective_by
         ORDER BY first_effective_at DESC, page DESC LIMIT 1;
        total := total + coalesce(added, 0);
        done := done + size;
    END LOOP;
    RETURN total;
END $$;

-- The balance that the books showed at one moment (recorded_by) of what had happened by another (effective_by), each
-- NULL for no limit: debits minus credits. First the checkpoints up to the last one that was recorded completely by
-- then; of later ones those in part, which only overlapping transactions make more than one; then what no checkpoint
-- covers.
CREATE OR REPLACE FUNCTION ledger_balance(of_account bigint, recorded_by timestamptz, effective_by timestamptz)
RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    total numeric := 0;
    base record;
    latest record;
BEGIN
    SELECT number, horizon, balance_minor, latest_recorded_at INTO latest FROM ledger_checkpoint
     WHERE account_id = of_account ORDER BY horizon DESC LIMIT 1;
    IF FOUND THEN
        base := latest;
        IF latest.latest_recorded_at > recorded_by THEN
            SELECT number, horizon, balance_minor, latest_recorded_at INTO base FROM ledger_checkpoint
             WHERE account_id = of_account AND latest_recorded_at <= recorded_by
             ORDER BY latest_recorded_at DESC, horizon DESC LIMIT 1;
            total := coalesce((
                SELECT sum((SELECT sum(amount_minor) FROM ledger_posting
                             WHERE account_id = of_account AND xact_id >= segment.since AND xact_id < segment.horizon
                               AND recorded_at <= recorded_by AND effective_at <= coalesce(effective_by, 'infinity')))
                  FROM ledger_checkpoint AS segment
                 WHERE int8range(segment.account_id, segment.account_id, '[]') @> of_account
                   AND tstzrange(segment.first_recorded_at, segment.latest_recorded_at) @> recorded_by), 0);
        END IF;
        IF effective_by IS NULL THEN
            total := total + coalesce(base.balance_minor, 0);
        ELSE
            total := total + ledger_effective_sum(of_account, coalesce(base.number, 0), effective_by);
        END IF;
    END IF;
    RETURN total + coalesce((
        SELECT sum(amount_minor) FROM ledger_posting
         WHERE account_id = of_account AND xact_id >= coalesce(latest.horizon, 0)
           AND recorded_at <= coalesce(recorded_by, 'infinity') AND effective_at <= coalesce(effective_by, 'infinity')), 0);
END $$;

DROP FUNCTION ledger_recorded_balance(bigint, timestamptz);
"""

READ_WITHOUT = """
DROP FUNCTION ledger_effective_sum(bigint, integer, timestamptz);
CREATE FUNCTION ledger_recorded_balance(of_account bigint, recorded_by timestamptz) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_posting
     WHERE account_id = of_account AND recorded_at <= coalesce(recorded_by, 'infinity')
$$;
CREATE OR REPLACE FUNCTION ledger_balance(of_account bigint, recorded_by timestamptz, effective_by timestamptz)
RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_posting
     WHERE account_id = of_account AND recorded_at <= coalesce(recorded_by, 'infinity')
       AND effective_at <= coalesce(effective_by, 'infinity')
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_pages_in_order_of_effect")]

    operations = [migrations.RunSQL(READ, READ_WITHOUT)]
