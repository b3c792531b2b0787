"""Number the receipts and credit notes of what was paid and refunded before, in the order in which it happened."""

from django.db import migrations

NUMBER_PAST = """
INSERT INTO payments_document (kind, order_id, year)
SELECT 'receipt', paid.id, extract(year FROM now() AT TIME ZONE 'UTC')
  FROM payments_order AS paid
 WHERE paid_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM payments_document WHERE kind = 'receipt' AND order_id = paid.id)
 ORDER BY paid_at, id;

INSERT INTO payments_document (kind, order_id, refund_id, year)
SELECT 'credit_note', payment.order_id, refund.id, extract(year FROM now() AT TIME ZONE 'UTC')
  FROM payments_refund AS refund JOIN payments_payment AS payment ON payment.id = refund.payment_id
 WHERE refund.succeeded_at IS NOT NULL AND refund.reason <> 'second_payment'
   AND NOT EXISTS (SELECT FROM payments_document WHERE refund_id = refund.id)
 ORDER BY refund.succeeded_at, refund.id;
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0044_documents")]

    operations = [migrations.RunSQL(NUMBER_PAST, migrations.RunSQL.noop)]
