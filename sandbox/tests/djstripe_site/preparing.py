"""`python -m sandbox.tests.djstripe_site.preparing`: dj-stripe's tables, and the endpoint it is told to expect.

dj-stripe's first migration takes 40 seconds: it makes tables with columns that it removes one by one. Here they are made
at once as they are in the end, and its migrations written down as done.
"""

import os

import django
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

DJSTRIPE = "djstripe"


def create_tables() -> None:
    """Everything dj-stripe points at by migrating, then its own tables in their final form."""
    executor = MigrationExecutor(connection)
    targets = executor.loader.graph.leaf_nodes()
    others = [step for step in executor.migration_plan(targets) if step[0].app_label != DJSTRIPE]
    executor.migrate(targets, plan=others)
    final = executor.loader.project_state(targets).apps.get_app_config(DJSTRIPE).get_models()
    with connection.schema_editor() as editor:
        for model in final:
            editor.create_model(model)


def expect_webhooks() -> None:
    """The row by which dj-stripe knows the endpoint's secret."""
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
