"""The triggers of the audit trail, for migrations. A table is tracked by one more trigger, whatever writes to it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.migrations import RunSQL

RECORD = """
-- Arguments: the model's label, the column that names the object, columns whose changes are not kept, columns whose
-- values are not kept, and whether only changes by people count. An update keeps only the columns that changed.
CREATE FUNCTION operations_record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ignored text[] := TG_ARGV[2]::text[];
    hidden text[] := TG_ARGV[3]::text[];
    old_row jsonb;
    new_row jsonb;
    object_key text;
    context jsonb;
BEGIN
    context := coalesce(nullif(current_setting('pghistory.context_metadata', true), ''), '{}')::jsonb;
    IF TG_ARGV[4] = 'people' AND context ->> 'source' = 'work' THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        old_row := to_jsonb(OLD) - ignored;
        object_key := to_jsonb(OLD) ->> TG_ARGV[1];
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_row := to_jsonb(NEW) - ignored;
        object_key := to_jsonb(NEW) ->> TG_ARGV[1];
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF old_row = new_row THEN
            RETURN NULL;
        END IF;
        SELECT jsonb_object_agg(key, old_row -> key), jsonb_object_agg(key, new_row -> key)
          INTO old_row, new_row
          FROM jsonb_object_keys(new_row) AS key
         WHERE old_row -> key IS DISTINCT FROM new_row -> key;
    END IF;
    IF hidden <> '{}' THEN
        SELECT jsonb_object_agg(key, CASE WHEN key = ANY (hidden) THEN '"(hidden)"'::jsonb ELSE value END)
          INTO old_row FROM jsonb_each(old_row);
        SELECT jsonb_object_agg(key, CASE WHEN key = ANY (hidden) THEN '"(hidden)"'::jsonb ELSE value END)
          INTO new_row FROM jsonb_each(new_row);
    END IF;
    INSERT INTO operations_change (at, action, model, table_name, object_id, before, after, actor_id, source, place,
                                   request_id, database_user, emergency_access_id)
    VALUES (clock_timestamp(), lower(TG_OP), TG_ARGV[0], TG_TABLE_NAME, object_key, old_row, new_row,
            (context ->> 'user')::bigint, coalesce(context ->> 'source', 'database'),
            left(coalesce(context ->> 'place', ''), 200), left(coalesce(context ->> 'request', ''), 64),
            session_user, (context ->> 'emergency')::bigint);
    RETURN NULL;
END $$;
"""

DO_NOT_RECORD = "DROP FUNCTION operations_record_change();"

KEEP = """
-- A kept change may lose values, for a person who is erased, but nothing else about it can change.
CREATE FUNCTION operations_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - '{before,after}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{before,after}'::text[]
       OR NOT operations_only_erases(OLD.before, NEW.before)
       OR NOT operations_only_erases(OLD.after, NEW.after) THEN
        RAISE EXCEPTION 'The audit trail is kept: personal data in it may only be erased.'
              USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION operations_only_erases(old_values jsonb, new_values jsonb) RETURNS boolean IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE
        WHEN old_values IS NULL OR new_values IS NULL THEN old_values IS NULL AND new_values IS NULL
        ELSE (SELECT coalesce(bool_and(coalesce(new_values -> key IN (value, '"(erased)"'), false)), true)
                FROM jsonb_each(old_values))
             AND new_values - ARRAY(SELECT jsonb_object_keys(old_values)) = '{}'::jsonb
    END
$$;

CREATE FUNCTION operations_without(old_values jsonb, columns text[]) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT jsonb_object_agg(key, CASE WHEN key = ANY (columns) THEN '"(erased)"'::jsonb ELSE value END)
      FROM jsonb_each(old_values)
$$;

-- However short the setting, a change is kept for a year.
CREATE FUNCTION operations_refuse_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.at > clock_timestamp() - interval '365 days' THEN
        RAISE EXCEPTION 'The audit trail is kept for a year at least.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN OLD;
END $$;

CREATE FUNCTION operations_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    has_rows boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I)', TG_TABLE_SCHEMA, TG_TABLE_NAME) INTO has_rows;
    IF has_rows THEN
        RAISE EXCEPTION 'The audit trail is kept.' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER operations_change_is_kept BEFORE UPDATE ON operations_change
    FOR EACH ROW EXECUTE FUNCTION operations_refuse_rewriting();
CREATE TRIGGER operations_change_is_kept_for_a_year BEFORE DELETE ON operations_change
    FOR EACH ROW EXECUTE FUNCTION operations_refuse_forgetting();
CREATE TRIGGER operations_change_is_not_emptied BEFORE TRUNCATE ON operations_change
    FOR EACH STATEMENT EXECUTE FUNCTION operations_refuse_truncate();
"""

DO_NOT_KEEP = """
DROP TRIGGER operations_change_is_not_emptied ON operations_change;
DROP TRIGGER operations_change_is_kept_for_a_year ON operations_change;
DROP TRIGGER operations_change_is_kept ON operations_change;
DROP FUNCTION operations_refuse_truncate();
DROP FUNCTION operations_refuse_forgetting();
DROP FUNCTION operations_without(jsonb, text[]);
DROP FUNCTION operations_only_erases(jsonb, jsonb);
DROP FUNCTION operations_refuse_rewriting();
"""


def track(  # noqa: PLR0913  # each is a property of the table
    table: str,
    model: str,
    *,
    key: str = "id",
    ignore: Sequence[str] = (),
    hide: Sequence[str] = (),
    is_of_sales: bool = False,
) -> RunSQL:
    """Keep the changes of a table as changes of the object of `model` that the column `key` names.

    `ignore` are columns that the machine writes often and that say nothing about staff; `hide` are secrets, of which only
    the change is kept. `is_of_sales` are rows that customers and workers write in numbers and whose course the site
    records itself: only what people and SQL change or delete afterwards is kept.
    """
    by = "people" if is_of_sales else "all"
    events = "UPDATE OR DELETE" if is_of_sales else "INSERT OR UPDATE OR DELETE"
    arguments = ", ".join(f"'{value}'" for value in (model, key, _array(ignore), _array(hide), by))
    return RunSQL(
        f"CREATE TRIGGER operations_change_is_recorded AFTER {events} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION operations_record_change({arguments})",
        f"DROP TRIGGER operations_change_is_recorded ON {table}",
    )


def _array(names: Sequence[str]) -> str:
    return "{" + ",".join(names) + "}"
