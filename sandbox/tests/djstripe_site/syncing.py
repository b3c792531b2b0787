"""`python -m sandbox.tests.djstripe_site.syncing`: `djstripe_sync_models` for all models but one.

AccountV2 is left out, because dj-stripe fetches it from the real Stripe, whatever STRIPE_API_HOST says.
"""

import django
from django.apps import apps
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    names = [model.__name__ for model in apps.get_app_config("djstripe").get_models()]
    call_command("djstripe_sync_models", *(name for name in names if name != "AccountV2"))
