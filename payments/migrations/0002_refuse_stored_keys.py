"""dj-stripe would keep secret API keys in clear. No row ever gets into its table."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION payments_refuse_stored_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'API keys are not stored in the database; they come from the environment.';
END $$;
CREATE TRIGGER payments_refuse_stored_key BEFORE INSERT OR UPDATE ON djstripe_apikey
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_stored_key();
"""
ALLOW = """
DROP TRIGGER payments_refuse_stored_key ON djstripe_apikey;
DROP FUNCTION payments_refuse_stored_key();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("djstripe", "0003_2_11")]
    operations = [migrations.RunSQL(REFUSE, ALLOW)]
