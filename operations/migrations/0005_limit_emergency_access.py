"""The database begins, limits and keeps emergency accesses, whatever writes them."""

from django.db import migrations

from operations.audit.sql import track

LIMIT = """
CREATE FUNCTION operations_begin_emergency_access() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.started_at := clock_timestamp();
    IF NEW.ends_at <= NEW.started_at OR NEW.ends_at > NEW.started_at + interval '4 hours'
       OR NEW.ended_at IS NOT NULL OR NEW.reported_at IS NOT NULL THEN
        RAISE EXCEPTION 'An emergency access lasts four hours at most.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

-- It may be ended, and reported, once each. It is never prolonged, and no reason is changed afterwards.
CREATE FUNCTION operations_keep_emergency_access() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changing text[] := '{ended_at,ended_by_id,reported_at}';
BEGIN
    IF TG_OP = 'DELETE'
       OR to_jsonb(NEW) - changing IS DISTINCT FROM to_jsonb(OLD) - changing
       OR (OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_by_id) IS DISTINCT FROM (OLD.ended_at, OLD.ended_by_id))
       OR (OLD.reported_at IS NOT NULL AND NEW.reported_at IS DISTINCT FROM OLD.reported_at) THEN
        RAISE EXCEPTION 'An emergency access is kept as it was taken: it may only be ended and reported.'
              USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL THEN
        NEW.ended_at := least(clock_timestamp(), OLD.ends_at);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER operations_emergencyaccess_begins BEFORE INSERT ON operations_emergencyaccess
    FOR EACH ROW EXECUTE FUNCTION operations_begin_emergency_access();
CREATE TRIGGER operations_emergencyaccess_is_kept BEFORE UPDATE OR DELETE ON operations_emergencyaccess
    FOR EACH ROW EXECUTE FUNCTION operations_keep_emergency_access();
CREATE TRIGGER operations_emergencyaccess_is_not_emptied BEFORE TRUNCATE ON operations_emergencyaccess
    FOR EACH STATEMENT EXECUTE FUNCTION operations_refuse_truncate();
"""

DO_NOT_LIMIT = """
DROP TRIGGER operations_emergencyaccess_is_not_emptied ON operations_emergencyaccess;
DROP TRIGGER operations_emergencyaccess_is_kept ON operations_emergencyaccess;
DROP TRIGGER operations_emergencyaccess_begins ON operations_emergencyaccess;
DROP FUNCTION operations_keep_emergency_access();
DROP FUNCTION operations_begin_emergency_access();
"""


class Migration(migrations.Migration):
    dependencies = [("operations", "0004_emergency_access")]

    operations = [
        migrations.RunSQL(LIMIT, DO_NOT_LIMIT),
        track("operations_emergencyaccess", "operations.emergencyaccess", ignore=["reported_at"]),
    ]
