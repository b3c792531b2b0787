"""The database keeps payouts and their history as they were written, whatever code or person tries to change them."""

from django.db import migrations

KEEP = """
CREATE TRIGGER payments_payout_is_kept BEFORE DELETE ON payments_payout
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Payouts are kept.');
CREATE TRIGGER payments_payout_is_frozen BEFORE UPDATE ON payments_payout FOR EACH ROW
    WHEN ((OLD.reference, OLD.teacher_id, OLD.amount_minor, OLD.currency)
          IS DISTINCT FROM (NEW.reference, NEW.teacher_id, NEW.amount_minor, NEW.currency))
    EXECUTE FUNCTION payments_refuse_change('What a payout is about never changes.');
CREATE TRIGGER payments_payout_only_returns BEFORE UPDATE ON payments_payout FOR EACH ROW
    WHEN (NEW.returned_minor < OLD.returned_minor)
    EXECUTE FUNCTION payments_refuse_change('What came back of a payout only grows.');
CREATE TRIGGER payments_payout_step_is_kept BEFORE UPDATE OR DELETE ON payments_payoutstep
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('The history of a payout is kept as it is.');
CREATE TRIGGER payments_payout_transfer_is_kept BEFORE DELETE ON payments_payouttransfer
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Transfers are kept.');
CREATE TRIGGER payments_payout_transfer_is_one BEFORE UPDATE ON payments_payouttransfer FOR EACH ROW
    WHEN (OLD.stripe_transfer_id IS NOT NULL AND NEW.stripe_transfer_id IS DISTINCT FROM OLD.stripe_transfer_id)
    EXECUTE FUNCTION payments_refuse_change('A payout is one transfer at most.');
CREATE TRIGGER payments_payout_reversal_is_kept BEFORE DELETE ON payments_payoutreversal
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Reversals are kept.');
"""

DO_NOT_KEEP = """
DROP TRIGGER payments_payout_reversal_is_kept ON payments_payoutreversal;
DROP TRIGGER payments_payout_transfer_is_one ON payments_payouttransfer;
DROP TRIGGER payments_payout_transfer_is_kept ON payments_payouttransfer;
DROP TRIGGER payments_payout_step_is_kept ON payments_payoutstep;
DROP TRIGGER payments_payout_only_returns ON payments_payout;
DROP TRIGGER payments_payout_is_frozen ON payments_payout;
DROP TRIGGER payments_payout_is_kept ON payments_payout;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0030_payouts")]

    operations = [migrations.RunSQL(KEEP, DO_NOT_KEEP)]
