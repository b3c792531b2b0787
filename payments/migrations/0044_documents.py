"""Number receipts and credit notes without gaps."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

NUMBER = """
CREATE FUNCTION payments_number_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- One at a time for each kind and year. The statement below sees what the one before has committed.
    PERFORM pg_advisory_xact_lock(4173003, hashtext(NEW.kind || NEW.year));
    NEW.sequence := 1 + coalesce(
        (SELECT max(sequence) FROM payments_document WHERE kind = NEW.kind AND year = NEW.year), 0);
    NEW.issued_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER payments_document_is_numbered BEFORE INSERT ON payments_document
    FOR EACH ROW EXECUTE FUNCTION payments_number_document();
CREATE TRIGGER payments_document_is_kept BEFORE UPDATE OR DELETE ON payments_document
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Receipts and credit notes are kept as they are.');
"""

DO_NOT_NUMBER = """
DROP TRIGGER payments_document_is_kept ON payments_document;
DROP TRIGGER payments_document_is_numbered ON payments_document;
DROP FUNCTION payments_number_document();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0043_count_redemptions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(choices=[("receipt", "Receipt"), ("credit_note", "Credit note")], max_length=11),
                ),
                ("year", models.PositiveSmallIntegerField(help_text="In UTC.")),
                ("sequence", models.PositiveIntegerField(db_default=0, editable=False)),
                (
                    "issued_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="documents", to="payments.order"
                    ),
                ),
                (
                    "refund",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="document",
                        to="payments.refund",
                    ),
                ),
            ],
            options={
                "ordering": ["-issued_at", "-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "year", "sequence"), name="document_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "receipt")), fields=("order",), name="one_receipt_per_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "receipt"), ("refund", None)),
                            models.Q(("kind", "credit_note"), ("refund__isnull", False)),
                            _connector="OR",
                        ),
                        name="credit_notes_have_their_refund",
                    ),
                ],
            },
        ),
        migrations.RunSQL(NUMBER, DO_NOT_NUMBER),
    ]
