"""The database counts the changes of each entry in a calendar, whichever form, command or update() makes them."""

from django.db import migrations

COUNT = """
-- A newer file replaces what a calendar holds only if its SEQUENCE is higher (RFC 5545, 3.8.7.4).
CREATE FUNCTION workshops_count_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.starts_at, OLD.ends_at) IS DISTINCT FROM (NEW.starts_at, NEW.ends_at) THEN
        NEW.sequence := OLD.sequence + 1;
        NEW.changed_at := clock_timestamp();
    ELSE
        -- A row that was loaded before a change must not lower it.
        NEW.sequence := greatest(OLD.sequence, NEW.sequence);
        NEW.changed_at := greatest(OLD.changed_at, NEW.changed_at);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION workshops_count_workshop_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE workshops_workshopsession SET sequence = sequence + 1, changed_at = clock_timestamp()
     WHERE workshop_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER workshops_session_change_is_counted BEFORE UPDATE ON workshops_workshopsession
    FOR EACH ROW EXECUTE FUNCTION workshops_count_session_change();
CREATE TRIGGER workshops_workshop_change_is_counted AFTER UPDATE ON workshops_workshop
    FOR EACH ROW WHEN (
        (OLD.title, OLD.is_online, OLD.online_url, OLD.place, OLD.address, OLD.state = 'cancelled')
        IS DISTINCT FROM
        (NEW.title, NEW.is_online, NEW.online_url, NEW.place, NEW.address, NEW.state = 'cancelled')
    ) EXECUTE FUNCTION workshops_count_workshop_change();

-- Files of cancelled workshops said 1 until now.
UPDATE workshops_workshopsession SET sequence = 1
 WHERE workshop_id IN (SELECT id FROM workshops_workshop WHERE state = 'cancelled');
"""

DO_NOT_COUNT = """
DROP TRIGGER workshops_workshop_change_is_counted ON workshops_workshop;
DROP TRIGGER workshops_session_change_is_counted ON workshops_workshopsession;
DROP FUNCTION workshops_count_workshop_change();
DROP FUNCTION workshops_count_session_change();
"""


class Migration(migrations.Migration):
    dependencies = [("workshops", "0008_sessions_keep_their_entries_in_calendars")]

    operations = [migrations.RunSQL(COUNT, DO_NOT_COUNT)]
