"""The database itself keeps the books: each journal balances, and nothing recorded is changed, deleted or added to."""

from django.db import migrations

KEEP = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The books are kept: correct a mistake with another journal.' USING ERRCODE = 'check_violation';
END $$;

-- An empty table may be truncated: nothing is lost, and TRUNCATE ... CASCADE of other tables may reach it.
CREATE FUNCTION ledger_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    has_rows boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO has_rows;
    IF has_rows THEN
        RAISE EXCEPTION 'The books are kept: correct a mistake with another journal.'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_account_is_kept BEFORE UPDATE OR DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_journal_is_kept BEFORE UPDATE OR DELETE ON ledger_journal
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_posting_is_kept BEFORE UPDATE OR DELETE ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER ledger_account_is_not_emptied BEFORE TRUNCATE ON ledger_account
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_truncate();
CREATE TRIGGER ledger_journal_is_not_emptied BEFORE TRUNCATE ON ledger_journal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_truncate();
CREATE TRIGGER ledger_posting_is_not_emptied BEFORE TRUNCATE ON ledger_posting
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_truncate();
"""

DO_NOT_KEEP = """
DROP TRIGGER ledger_posting_is_not_emptied ON ledger_posting;
DROP TRIGGER ledger_journal_is_not_emptied ON ledger_journal;
DROP TRIGGER ledger_account_is_not_emptied ON ledger_account;
DROP TRIGGER ledger_posting_is_kept ON ledger_posting;
DROP TRIGGER ledger_journal_is_kept ON ledger_journal;
DROP TRIGGER ledger_account_is_kept ON ledger_account;
DROP FUNCTION ledger_refuse_truncate();
DROP FUNCTION ledger_refuse_change();
"""

STAMP = """
-- The moment of recording and the transaction are the database's, whatever the statement says. A moment of effect ahead
-- of it comes from a host whose clock is fast, and counts as now.
CREATE FUNCTION ledger_stamp_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.recorded_at := clock_timestamp();
    NEW.effective_at := least(coalesce(NEW.effective_at, NEW.recorded_at), NEW.recorded_at);
    NEW.xact_id := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

-- A posting takes moments and transaction from its journal, which the same transaction must have written. That rule
-- replaces both foreign keys, since accounts and journals are never deleted. Transaction ids of a restored database may
-- occur again in another cluster; the hour excludes journals from before, and allows for a clock that was set back.
CREATE FUNCTION ledger_stamp_posting() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER ledger_journal_is_stamped BEFORE INSERT ON ledger_journal
    FOR EACH ROW EXECUTE FUNCTION ledger_stamp_journal();
CREATE TRIGGER ledger_posting_is_stamped BEFORE INSERT ON ledger_posting
    FOR EACH ROW EXECUTE FUNCTION ledger_stamp_posting();
"""

DO_NOT_STAMP = """
DROP TRIGGER ledger_posting_is_stamped ON ledger_posting;
DROP TRIGGER ledger_journal_is_stamped ON ledger_journal;
DROP FUNCTION ledger_stamp_posting();
DROP FUNCTION ledger_stamp_journal();
"""

# On the journal, so that none is empty. On each posting too: after SET CONSTRAINTS ALL IMMEDIATE the journal's own
# check has run, and further postings would escape it.
BALANCE = """
CREATE FUNCTION ledger_refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked bigint;
    postings bigint;
    is_balanced boolean;
BEGIN
    IF TG_TABLE_NAME = 'ledger_journal' THEN
        checked := NEW.id;
    ELSE
        checked := NEW.journal_id;
    END IF;
    SELECT sum(number), bool_and(total = 0) INTO postings, is_balanced
      FROM (SELECT count(*) AS number, sum(posting.amount_minor) AS total
              FROM ledger_posting AS posting JOIN ledger_account AS account ON account.id = posting.account_id
             WHERE posting.journal_id = checked GROUP BY account.currency) AS of_currency;
    IF coalesce(postings, 0) < 2 OR NOT is_balanced THEN
        RAISE EXCEPTION 'The postings of a journal add up to zero in each currency, and are at least two.'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_journal_balances AFTER INSERT ON ledger_journal
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unbalanced();
CREATE CONSTRAINT TRIGGER ledger_posting_balances AFTER INSERT ON ledger_posting
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_refuse_unbalanced();
"""

DO_NOT_BALANCE = """
DROP TRIGGER ledger_posting_balances ON ledger_posting;
DROP TRIGGER ledger_journal_balances ON ledger_journal;
DROP FUNCTION ledger_refuse_unbalanced();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_accounts_journals_postings")]

    operations = [
        migrations.RunSQL(KEEP, DO_NOT_KEEP),
        migrations.RunSQL(STAMP, DO_NOT_STAMP),
        migrations.RunSQL(BALANCE, DO_NOT_BALANCE),
    ]
