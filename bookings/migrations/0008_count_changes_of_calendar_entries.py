"""The database counts the changes of each entry in a calendar, whichever form, command or update() makes them."""

from django.db import migrations

COUNT = """
-- A newer file replaces what a calendar holds only if its SEQUENCE is higher (RFC 5545, 3.8.7.4).
CREATE FUNCTION bookings_count_lesson_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.period, OLD.is_online, OLD.meeting_url, OLD.place, OLD.state = 'cancelled')
       IS DISTINCT FROM
       (NEW.period, NEW.is_online, NEW.meeting_url, NEW.place, NEW.state = 'cancelled') THEN
        NEW.sequence := OLD.sequence + 1;
        NEW.changed_at := clock_timestamp();
    ELSE
        -- A row that was loaded before a change must not lower it.
        NEW.sequence := greatest(OLD.sequence, NEW.sequence);
        NEW.changed_at := greatest(OLD.changed_at, NEW.changed_at);
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER bookings_lesson_change_is_counted BEFORE UPDATE ON bookings_lesson
    FOR EACH ROW EXECUTE FUNCTION bookings_count_lesson_change();

-- Files of cancelled lessons said 1 until now.
UPDATE bookings_lesson SET sequence = 1 WHERE state = 'cancelled';
"""

DO_NOT_COUNT = """
DROP TRIGGER bookings_lesson_change_is_counted ON bookings_lesson;
DROP FUNCTION bookings_count_lesson_change();
"""


class Migration(migrations.Migration):
    dependencies = [("bookings", "0007_lessons_count_changes_for_calendars")]

    operations = [migrations.RunSQL(COUNT, DO_NOT_COUNT)]
