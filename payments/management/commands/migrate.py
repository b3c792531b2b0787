"""Django's `migrate`, without the 40 seconds that dj-stripe's first migration spends in pure Python."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands.migrate import Command as DjangoMigrate
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

DJSTRIPE = "djstripe"
# With any of these options the command is exactly Django's: the purpose is not just an up-to-date database.
NOT_A_PLAIN_MIGRATION = ("app_label", "plan", "check_unapplied", "fake", "fake_initial", "prune")


class Command(DjangoMigrate):
    """Migrates as Django does, with three additions.

    dj-stripe's tables are created at once in their final form, and its migrations recorded as applied: they would
    create each table and then remove 519 columns one by one, rebuilding every model in memory each time. A database
    that already has any of dj-stripe's tables or migrations is left to Django. `migrate djstripe` always runs them all.

    The cache table is created, since it holds the limits of sign-in and the site cannot answer without it. Behind a
    pooler, the limits of statements are set on the role, because connections there cannot set them.
    """

    def handle(self, *args: Any, **options: Any) -> None:
        if any(options[name] for name in NOT_A_PLAIN_MIGRATION):
            super().handle(*args, **options)
            return
        connection = connections[options["database"]]
        if create_djstripe_tables(connection) and options["verbosity"]:
            self.stdout.write("Created dj-stripe's tables in their final form.")
        super().handle(*args, **options)
        call_command("createcachetable", database=options["database"], verbosity=0)
        if settings.DATABASE_POOLED:
            settings.DATABASE_LIMITS.put_on_role(connection)


def create_djstripe_tables(connection: BaseDatabaseWrapper) -> bool:
    """Create dj-stripe's tables in their final form; False if the database has any of its tables or migrations."""
    connection.prepare_database()
    executor = MigrationExecutor(connection)
    loader = executor.loader
    if any(app == DJSTRIPE for app, _ in loader.applied_migrations):
        return False
    if any(table.startswith(f"{DJSTRIPE}_") for table in connection.introspection.table_names()):
        return False
    targets = loader.graph.leaf_nodes(DJSTRIPE)
    plan = executor.migration_plan(targets)
    # The tables that dj-stripe refers to, such as the user table, must exist first.
    executor.migrate(targets, plan=[step for step in plan if step[0].app_label != DJSTRIPE])
    final_models = loader.project_state(targets).apps.get_app_config(DJSTRIPE).get_models()
    with transaction.atomic(using=connection.alias):
        with connection.schema_editor() as editor:
            for model in final_models:
                if model._meta.can_migrate(connection):
                    editor.create_model(model)
        for migration, _ in plan:
            if migration.app_label == DJSTRIPE:
                executor.recorder.record_applied(migration.app_label, migration.name)
    return True
