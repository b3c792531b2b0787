from datetime import timedelta

from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class IntegrationsConfig(AppConfig):
    name = "integrations"
    # Support sees which programs a person has let in; admins can also shut one out.
    role_permissions = {"support": ("integrations.view_apitoken",), "admin": ("integrations.*_apitoken",)}
    periodic_work = (PeriodicWork(task="integrations.remind_of_expiring_tokens", every=timedelta(hours=1)),)
