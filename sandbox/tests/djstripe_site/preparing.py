"""`python -m sandbox.tests.djstripe_site.preparing`: create dj-stripe's tables and its webhook endpoint.

dj-stripe's first migration takes 40 seconds, because it creates columns and then removes them one by one. Here the
tables are created directly in their final form, without its migrations.
"""

import os

import django
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

DJSTRIPE = "djstripe"


def create_tables() -> None:
    """Migrate the apps that dj-stripe depends on, then create its own tables in their final form."""
    executor = MigrationExecutor(connection)
    targets = executor.loader.graph.leaf_nodes()
    others = [step for step in executor.migration_plan(targets) if step[0].app_label != DJSTRIPE]
    executor.migrate(targets, plan=others)
    final = executor.loader.project_state(targets).apps.get_app_config(DJSTRIPE).get_models()
    with connection.schema_editor() as editor:
        for model in final:
            editor.create_model(model)


def expect_webhooks() -> None:
    """Create the row from which dj-stripe reads the endpoint's secret."""
    from djstripe.models import WebhookEndpoint

    WebhookEndpoint.objects.create(
        id="we_site",
        secret=os.environ["SITE_WEBHOOK_SECRET"],
        livemode=False,
        url="http://127.0.0.1/",
        enabled_events=["*"],
        djstripe_uuid=os.environ["SITE_WEBHOOK_UUID"],
    )


if __name__ == "__main__":
    django.setup()
    create_tables()
    expect_webhooks()
