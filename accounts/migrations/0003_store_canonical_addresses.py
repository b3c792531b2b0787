"""Store addresses with an international domain as mail servers know them, so that their owners can still sign in.

What cannot be mailed, or belongs to another account in that form, is left for staff.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import migrations

from accounts.canonical_addresses import canonical_address


def store_canonical_addresses(apps, schema_editor):
    users = apps.get_model("accounts", "User").objects
    verified = apps.get_model("account", "EmailAddress").objects
    # Outside ASCII only: everything else was stored in this form already.
    for user in users.filter(email__regex=r"[^\x01-\x7f]"):
        try:
            address = canonical_address(user.email)
        except ValidationError:
            continue
        if users.filter(email=address).exists() or verified.filter(email=address).exists():
            continue
        verified.filter(user=user, email=user.email).update(email=address)
        users.filter(pk=user.pk).update(email=address)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_call_mails_emails"),
        ("account", "0001_initial"),
    ]
    operations = [migrations.RunPython(store_canonical_addresses, migrations.RunPython.noop)]
