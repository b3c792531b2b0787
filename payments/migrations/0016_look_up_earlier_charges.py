"""Charges and fees of payments from before they were kept are looked up like those of new ones."""

from django.db import migrations


def look_up(apps, schema_editor):
    lookup = apps.get_model("payments", "ChargeLookup")
    payments = apps.get_model("payments", "Payment").objects.filter(status="succeeded", stripe_charge_id=None)
    payments = payments.exclude(stripe_payment_intent_id=None)
    lookup.objects.bulk_create((lookup(payment=payment) for payment in payments.iterator()), batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("payments", "0015_charge_lookup")]

    operations = [migrations.RunPython(look_up, migrations.RunPython.noop)]
