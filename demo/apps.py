from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class DemoConfig(AppConfig):
    name = "demo"

    def ready(self) -> None:
        """Refuse to be part of a real site: any visitor could sign in as its staff with one click."""
        if not settings.IS_DEVELOPMENT:
            raise ImproperlyConfigured("The demo app is for LECTERN_ENV=development only.")
