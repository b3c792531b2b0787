"""Triggers write the audit trail, and keep it as it is."""

from django.db import migrations

from operations.audit.sql import DO_NOT_KEEP, DO_NOT_RECORD, KEEP, RECORD


class Migration(migrations.Migration):
    dependencies = [("operations", "0001_audit_trail")]

    operations = [migrations.RunSQL(RECORD, DO_NOT_RECORD), migrations.RunSQL(KEEP, DO_NOT_KEEP)]
