"""Existing refunds, each of one whole order line, become a refund of the payment with one allocation."""

from django.db import migrations
from django.db.models import F

ENDED = ("failed", "canceled")
# What the older code calls these.
OLDER_STATUS = {"canceled": "failed", "requires_action": "pending"}


def move_to_payments(apps, schema_editor):
    models = {name: apps.get_model("payments", name) for name in ("Refund", "RefundAllocation", "OrderLine", "Payment")}
    for refund in models["Refund"].objects.select_related("line"):
        line = refund.line
        payments = models["Payment"].objects.filter(order_id=line.order_id)
        payment = payments.filter(status="succeeded").first() or payments.order_by("-pk").first()
        models["RefundAllocation"].objects.create(
            refund=refund,
            line=line,
            amount_minor=line.amount_minor,
            fee_minor=line.platform_fee_minor,
            share_minor=line.teacher_share_minor,
            tax_minor=line.tax_minor,
            quantity=line.quantity,
        )
        refund.payment = payment
        refund.allocated_minor = refund.amount_minor
        refund.request_key = f"undeliverable:{line.pk}"
        when = refund.finished_at or refund.created_at
        refund.succeeded_at = when if refund.status == "succeeded" else None
        refund.ended_at = when if refund.status in ENDED else None
        refund.save(update_fields=["payment", "allocated_minor", "request_key", "succeeded_at", "ended_at"])
        if refund.status in ENDED:
            continue
        models["Payment"].objects.filter(pk=payment.pk).update(refunded_minor=F("refunded_minor") + refund.amount_minor)
        models["OrderLine"].objects.filter(pk=line.pk).update(
            refunded_minor=F("amount_minor"),
            refunded_fee_minor=F("platform_fee_minor"),
            refunded_share_minor=F("teacher_share_minor"),
            refunded_tax_minor=F("tax_minor"),
            refunded_quantity=F("quantity"),
        )


def move_to_lines(apps, schema_editor):
    refunds = apps.get_model("payments", "Refund").objects
    for refund in refunds.prefetch_related("allocations"):
        if len(refund.allocations.all()) != 1:
            raise RuntimeError(
                f"Refund {refund.pk} belongs to several order lines, or to none, which the older version cannot hold."
            )
        refund.line_id = refund.allocations.all()[0].line_id
        refund.status = OLDER_STATUS.get(refund.status, refund.status)
        refund.save(update_fields=["line", "status"])
    # Moving forward again counts them again.
    for name, fields in (
        ("OrderLine", ("refunded_minor", "refunded_fee_minor", "refunded_share_minor", "refunded_tax_minor")),
        ("Payment", ("refunded_minor",)),
    ):
        apps.get_model("payments", name).objects.update(**dict.fromkeys(fields, 0))
    apps.get_model("payments", "OrderLine").objects.update(refunded_quantity=0)
    apps.get_model("payments", "RefundAllocation").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_refunds_of_payments")]
    operations = [migrations.RunPython(move_to_payments, move_to_lines)]
