"""Migrate a new database by dj-stripe's own migrations: `python -m payments.tests.djstripes_own_way`.

They remove 519 columns one by one. After each, Django renders every model again, which takes half a minute and changes
nothing in the database: the statement that removes a column needs only that column, which the former models still have.
So the models are rendered again only if an operation of another kind needs them.
"""

import os

import django
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.operations import RemoveField


def forget_the_field(removal, app_label, state):
    """Do what RemoveField does to the state of a model, without rendering the models."""
    model = (app_label, removal.model_name_lower)
    field = state.models[model].fields.pop(removal.name_lower)
    if state._relations is not None:
        state.resolve_model_field_relations(model, removal.name_lower, field)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    settings.DATABASES["default"] = settings.DATABASE_OF_COMMANDS  # as manage.py does
    django.setup()
    RemoveField.state_forwards = forget_the_field
    # For a single app, all its migrations always run.
    call_command("migrate", "djstripe", skip_checks=True, verbosity=0)
