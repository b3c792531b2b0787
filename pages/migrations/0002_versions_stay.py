from django.db import migrations

KEEP = """
CREATE FUNCTION pages_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Versions of pages stay as they were published.' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER pages_version_is_kept BEFORE UPDATE OR DELETE ON pages_pageversion
    FOR EACH ROW EXECUTE FUNCTION pages_refuse_change();
"""
FREE = """
DROP TRIGGER pages_version_is_kept ON pages_pageversion;
DROP FUNCTION pages_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("pages", "0001_initial")]
    operations = [migrations.RunSQL(KEEP, FREE)]
