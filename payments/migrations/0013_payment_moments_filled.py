"""Payments from before their moments were kept get the best one known."""

from django.db import migrations
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now


def fill_moments(apps, schema_editor):
    payments = apps.get_model("payments", "Payment").objects
    order = apps.get_model("payments", "Order").objects.filter(pk=OuterRef("order_id"))
    paid_at, cancelled_at = Subquery(order.values("paid_at")), Subquery(order.values("cancelled_at"))
    succeeded = payments.filter(status="succeeded")
    succeeded.update(succeeded_at=Coalesce(paid_at, F("created_at")), ended_at=Coalesce(paid_at, F("created_at")))
    over = payments.filter(status__in=["failed", "expired"])
    over.update(ended_at=Coalesce(cancelled_at, F("expires_at")))
    payments.filter(status="processing").update(ended_at=Now())


class Migration(migrations.Migration):
    dependencies = [("payments", "0012_payment_keeps_its_facts")]

    operations = [migrations.RunPython(fill_moments, migrations.RunPython.noop)]
