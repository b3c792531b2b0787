from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    name = "integrations"
    # Support sees which programs a person has let in; admins can also shut one out.
    role_permissions = {"support": ("integrations.view_apitoken",), "admin": ("integrations.*_apitoken",)}
