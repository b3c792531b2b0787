"""Checkpoints get numbers and pages; they are taken again from the postings."""

from django.db import migrations

FORGET = """
DELETE FROM ledger_checkpoint;
UPDATE ledger_numbering SET searched_to = 0;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_number_transactions_and_read_balances")]

    operations = [migrations.RunSQL(FORGET, migrations.RunSQL.noop)]
