"""The database itself refuses a live seat beyond the workshop's capacity, whichever of the two is written.

Both triggers lock the workshop's row: a seat being taken and the capacity being cut at the same moment meet there, and
the second sees what the first committed.
"""

from django.db import migrations

_SEAT_FUNCTION = """
CREATE FUNCTION workshops_refuse_seat_beyond_capacity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE places integer;
BEGIN
    SELECT capacity INTO places FROM workshops_workshop WHERE id = NEW.workshop_id FOR SHARE;
    IF NEW.seat > places THEN
        RAISE EXCEPTION 'workshop % has % places, seat % does not exist', NEW.workshop_id, places, NEW.seat
            USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_seat_within_capacity';
    END IF;
    RETURN NEW;
END $$;
"""
_SEAT_TRIGGER = """
CREATE TRIGGER new_registration_seat_within_capacity
    BEFORE INSERT ON workshops_registration
    FOR EACH ROW WHEN (NEW.state IN ('held', 'confirmed'))
    EXECUTE FUNCTION workshops_refuse_seat_beyond_capacity();
-- A live seat that stays as it is was checked before; asking again would make every confirmation wait for the workshop.
CREATE TRIGGER changed_registration_seat_within_capacity
    BEFORE UPDATE OF seat, state, workshop_id ON workshops_registration
    FOR EACH ROW WHEN (
        NEW.state IN ('held', 'confirmed')
        AND (OLD.state NOT IN ('held', 'confirmed') OR (NEW.seat, NEW.workshop_id) <> (OLD.seat, OLD.workshop_id))
    )
    EXECUTE FUNCTION workshops_refuse_seat_beyond_capacity();
"""
_NO_SEAT_TRIGGER = """
DROP TRIGGER new_registration_seat_within_capacity ON workshops_registration;
DROP TRIGGER changed_registration_seat_within_capacity ON workshops_registration;
"""
_CAPACITY_FUNCTION = """
CREATE FUNCTION workshops_refuse_capacity_below_seats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM workshops_registration
        WHERE workshop_id = NEW.id AND seat > NEW.capacity AND state IN ('held', 'confirmed')
    ) THEN
        RAISE EXCEPTION 'workshop % has seats taken beyond %', NEW.id, NEW.capacity
            USING ERRCODE = 'check_violation', CONSTRAINT = 'workshop_capacity_covers_taken_seats';
    END IF;
    RETURN NULL;
END $$;
"""
_CAPACITY_TRIGGER = """
CREATE TRIGGER workshop_capacity_covers_taken_seats
    AFTER UPDATE OF capacity ON workshops_workshop
    FOR EACH ROW WHEN (NEW.capacity < OLD.capacity)
    EXECUTE FUNCTION workshops_refuse_capacity_below_seats();
"""


class Migration(migrations.Migration):
    dependencies = [("workshops", "0001_workshops_sessions_prices_registrations")]

    operations = [
        migrations.RunSQL(_SEAT_FUNCTION, "DROP FUNCTION workshops_refuse_seat_beyond_capacity()"),
        migrations.RunSQL(_SEAT_TRIGGER, _NO_SEAT_TRIGGER),
        migrations.RunSQL(_CAPACITY_FUNCTION, "DROP FUNCTION workshops_refuse_capacity_below_seats()"),
        migrations.RunSQL(_CAPACITY_TRIGGER, "DROP TRIGGER workshop_capacity_covers_taken_seats ON workshops_workshop"),
    ]
