"""Give earlier refunds the changes that are known of them."""

from django.db import migrations

FILL = """
INSERT INTO payments_refundchange (refund_id, kind, at, by_id, note)
SELECT id, 'requested', created_at, requested_by_id, note FROM payments_refund WHERE reason <> 'made_at_stripe'
 ORDER BY id;
INSERT INTO payments_refundchange (refund_id, kind, at, note)
SELECT id, 'succeeded', succeeded_at, '' FROM payments_refund WHERE succeeded_at IS NOT NULL ORDER BY id;
INSERT INTO payments_refundchange (refund_id, kind, at, note)
SELECT id, status, COALESCE(ended_at, created_at), COALESCE(NULLIF(failure_reason, ''), pending_reason)
  FROM payments_refund WHERE status NOT IN ('requested', 'succeeded') ORDER BY id;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0024_changes_of_refunds")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
