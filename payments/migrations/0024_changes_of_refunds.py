"""Keep the history of each refund."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

RECORD = """
-- Every change of a refund's status is recorded, whichever code makes it. While it is pending, so is a new reason.
CREATE FUNCTION payments_record_refund_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status = OLD.status
       AND (NEW.pending_reason = OLD.pending_reason OR NEW.pending_reason = '') THEN
        RETURN NULL;
    END IF;
    INSERT INTO payments_refundchange (refund_id, kind, by_id, note)
    VALUES (
        NEW.id,
        NEW.status,
        CASE WHEN TG_OP = 'INSERT' THEN NEW.requested_by_id END,
        COALESCE(
            NULLIF(CASE WHEN TG_OP = 'INSERT' THEN NEW.note ELSE '' END, ''),
            NULLIF(NEW.failure_reason, ''),
            NEW.pending_reason
        )
    );
    RETURN NULL;
END $$;

CREATE TRIGGER payments_record_refund_change AFTER INSERT OR UPDATE OF status, pending_reason ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_record_refund_change();
CREATE TRIGGER payments_refund_change_is_kept BEFORE UPDATE OR DELETE ON payments_refundchange
    FOR EACH ROW EXECUTE FUNCTION payments_refuse_change('Changes of refunds are kept as they are.');
"""

DO_NOT_RECORD = """
DROP TRIGGER payments_refund_change_is_kept ON payments_refundchange;
DROP TRIGGER payments_record_refund_change ON payments_refund;
DROP FUNCTION payments_record_refund_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0023_count_disputes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RefundChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("pending", "Sent, not yet confirmed"),
                            ("requires_action", "The student must act at Stripe"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("canceled", "Cancelled"),
                            ("allocated", "Allocated to lines"),
                            ("revoked", "Taken back"),
                        ],
                        max_length=20,
                    ),
                ),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "note",
                    models.CharField(blank=True, help_text="Stripe's reason, or why staff did it.", max_length=300),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_changes",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "refund",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="payments.refund"
                    ),
                ),
            ],
            options={"ordering": ["pk"]},
        ),
        migrations.AlterModelOptions(
            "order", {"ordering": ["-created_at"], "permissions": [("refund_order", "Can refund orders")]}
        ),
        migrations.AlterModelOptions(
            "refund", {"permissions": [("allocate_refund", "Can allocate refunds made at Stripe")]}
        ),
        migrations.RunSQL(RECORD, DO_NOT_RECORD),
    ]
