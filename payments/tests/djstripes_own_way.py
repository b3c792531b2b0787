"""Bring a new database up by dj-stripe's own migrations: `python -m payments.tests.djstripes_own_way`.

They remove 519 columns one by one. Django builds every model in memory anew after each, which takes half a minute and
changes nothing in the database: the statement that removes a column needs that column alone, and the models of before
still have it. So the models are built anew only where an operation of another kind asks for them.
"""

import os

import django
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.operations import RemoveField


def forget_the_field(removal, app_label, state):
    """What RemoveField does to the description of a model, without building the models."""
    model = (app_label, removal.model_name_lower)
    field = state.models[model].fields.pop(removal.name_lower)
    if state._relations is not None:
        state.resolve_model_field_relations(model, removal.name_lower, field)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    settings.DATABASES["default"] = settings.DATABASE_OF_COMMANDS  # as manage.py does
    django.setup()
    RemoveField.state_forwards = forget_the_field
    # One app alone always goes the long way.
    call_command("migrate", "djstripe", skip_checks=True, verbosity=0)
