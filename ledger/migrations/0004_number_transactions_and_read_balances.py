"""Numbers transactions so that checkpoints can rely on the order, keeps closed periods, and reads balances."""

from django.db import migrations

NUMBER = """
-- The number of the running transaction: PostgreSQL's, plus a shift. No transaction that may still commit has a number
-- below a checkpoint's horizon; that is what makes a checkpoint's sum final. In a database that was restored into another
-- cluster PostgreSQL may count from far below, so the first transaction found below the horizon shifts all numbers up to
-- it. Others that find the same wait here for the first, then use its shift. Until checkpoints know that every
-- transaction with the former shift has ended (settled_from), none is taken.
CREATE FUNCTION ledger_transaction_number() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    own bigint := pg_current_xact_id()::text::bigint;
    numbering ledger_numbering;
BEGIN
    SELECT * INTO numbering FROM ledger_numbering;
    IF own + numbering.shift < numbering.horizon THEN
        UPDATE ledger_numbering
           SET shift = horizon - pg_snapshot_xmin(pg_current_snapshot())::text::bigint, settled_from = NULL
         WHERE own + shift < horizon;
        SELECT * INTO numbering FROM ledger_numbering;
    END IF;
    RETURN own + coalesce(numbering.shift, 0);
END $$;

-- The moment of recording and the transaction are the database's, whatever the statement says. A moment of effect ahead
-- of it comes from a host whose clock is fast, and counts as now.
CREATE OR REPLACE FUNCTION ledger_stamp_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.recorded_at := clock_timestamp();
    NEW.effective_at := least(coalesce(NEW.effective_at, NEW.recorded_at), NEW.recorded_at);
    NEW.xact_id := ledger_transaction_number();
    IF NEW.effective_at < (SELECT max(closed_until) FROM ledger_periodclose) THEN
        RAISE EXCEPTION 'The books are closed for the time in which this journal would take effect.'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- A posting takes moments and transaction from its journal, which the same transaction must have written. That rule
-- replaces both foreign keys, since accounts and journals are never deleted. The hour excludes journals from before a
-- restore, whose transactions may have had the same numbers, and allows for a clock that was set back.
CREATE OR REPLACE FUNCTION ledger_stamp_posting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT recorded_at, effective_at, xact_id INTO NEW.recorded_at, NEW.effective_at, NEW.xact_id
      FROM ledger_journal
     WHERE id = NEW.journal_id
       AND xact_id = pg_current_xact_id()::text::bigint + coalesce((SELECT shift FROM ledger_numbering), 0)
       AND recorded_at > transaction_timestamp() - interval '1 hour';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A posting is written in the transaction of its journal.' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_account WHERE id = NEW.account_id) THEN
        RAISE EXCEPTION 'A posting is on an account.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
"""

DO_NOT_NUMBER = """
CREATE OR REPLACE FUNCTION ledger_stamp_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.recorded_at := clock_timestamp();
    NEW.effective_at := least(coalesce(NEW.effective_at, NEW.recorded_at), NEW.recorded_at);
    NEW.xact_id := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION ledger_stamp_posting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT recorded_at, effective_at, xact_id INTO NEW.recorded_at, NEW.effective_at, NEW.xact_id
      FROM ledger_journal
     WHERE id = NEW.journal_id AND xact_id = pg_current_xact_id()::text::bigint
       AND recorded_at > transaction_timestamp() - interval '1 hour';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'A posting is written in the transaction of its journal.' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT EXISTS (SELECT FROM ledger_account WHERE id = NEW.account_id) THEN
        RAISE EXCEPTION 'A posting is on an account.' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION ledger_transaction_number();
"""

CLOSE = """
-- The lock waits for transactions that have written a journal and not ended, and lets no other begin to: each of them
-- sees the period closed, or is in the books before it is.
CREATE FUNCTION ledger_stamp_periodclose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE ledger_journal IN SHARE ROW EXCLUSIVE MODE;
    NEW.closed_at := clock_timestamp();
    IF NEW.closed_until <= (SELECT max(closed_until) FROM ledger_periodclose) THEN
        RAISE EXCEPTION 'The books are closed until then already.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ledger_periodclose_is_stamped BEFORE INSERT ON ledger_periodclose
    FOR EACH ROW EXECUTE FUNCTION ledger_stamp_periodclose();
CREATE TRIGGER ledger_periodclose_is_kept BEFORE UPDATE OR DELETE ON ledger_periodclose
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_periodclose_is_not_emptied BEFORE TRUNCATE ON ledger_periodclose
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_truncate();
CREATE TRIGGER ledger_checkpoint_is_kept BEFORE UPDATE ON ledger_checkpoint
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
"""

DO_NOT_CLOSE = """
DROP TRIGGER ledger_checkpoint_is_kept ON ledger_checkpoint;
DROP TRIGGER ledger_periodclose_is_not_emptied ON ledger_periodclose;
DROP TRIGGER ledger_periodclose_is_kept ON ledger_periodclose;
DROP TRIGGER ledger_periodclose_is_stamped ON ledger_periodclose;
DROP FUNCTION ledger_stamp_periodclose();
"""

# STABLE: all statements inside see the snapshot of the statement that calls them.
READ = """
-- What had been recorded on an account by a moment, NULL for all: debits minus credits. The last checkpoint that was
-- recorded completely by then; of later ones, those in part, which only overlapping transactions make more than one; and
-- what no checkpoint covers.
CREATE FUNCTION ledger_recorded_balance(of_account bigint, recorded_by timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    total numeric := 0;
    covered_to bigint := 0;
    latest record;
BEGIN
    SELECT horizon, balance_minor, latest_recorded_at INTO latest FROM ledger_checkpoint
     WHERE account_id = of_account ORDER BY horizon DESC LIMIT 1;
    IF FOUND THEN
        covered_to := latest.horizon;
        IF recorded_by IS NULL OR latest.latest_recorded_at <= recorded_by THEN
            total := latest.balance_minor;
        ELSE
            total := coalesce((
                SELECT balance_minor FROM ledger_checkpoint
                 WHERE account_id = of_account AND latest_recorded_at <= recorded_by
                 ORDER BY latest_recorded_at DESC, horizon DESC LIMIT 1), 0)
              + coalesce((
                SELECT sum(CASE WHEN segment.last_recorded_at <= recorded_by THEN segment.amount_minor ELSE (
                           SELECT sum(amount_minor) FROM ledger_posting
                            WHERE account_id = of_account AND xact_id >= segment.since
                              AND xact_id < segment.horizon AND recorded_at <= recorded_by) END)
                  FROM ledger_checkpoint AS segment
                 WHERE int8range(segment.account_id, segment.account_id, '[]') @> of_account
                   AND tstzrange(segment.first_recorded_at, segment.latest_recorded_at) @> recorded_by), 0);
        END IF;
    END IF;
    RETURN total + coalesce((
        SELECT sum(amount_minor) FROM ledger_posting
         WHERE account_id = of_account AND xact_id >= covered_to
           AND (recorded_by IS NULL OR recorded_at <= recorded_by)), 0);
END $$;

-- The balance that the books showed at one moment (recorded_by) of what had happened by another (effective_by).
-- Nothing takes effect after it was recorded: so all that was recorded by the earlier of the two counts, and then what
-- was recorded later but had happened before.
CREATE FUNCTION ledger_balance(of_account bigint, recorded_by timestamptz, effective_by timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    total bigint := ledger_recorded_balance(of_account, least(recorded_by, effective_by));
BEGIN
    IF effective_by IS NULL OR recorded_by <= effective_by THEN
        RETURN total;
    END IF;
    RETURN total + coalesce((
        SELECT sum(amount_minor) FROM ledger_posting
         WHERE int8range(account_id, account_id, '[]') @> of_account
           AND tstzrange(effective_at, recorded_at) @> effective_by
           AND effective_at < recorded_at
           AND (recorded_by IS NULL OR recorded_at <= recorded_by)), 0);
END $$;
"""

DO_NOT_READ = """
DROP FUNCTION ledger_balance(bigint, timestamptz, timestamptz);
DROP FUNCTION ledger_recorded_balance(bigint, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_checkpoints_and_closed_periods")]

    operations = [
        migrations.RunSQL(NUMBER, DO_NOT_NUMBER),
        migrations.RunSQL(CLOSE, DO_NOT_CLOSE),
        migrations.RunSQL(READ, DO_NOT_READ),
    ]
