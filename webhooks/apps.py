from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Webhooks we send"
    # Support explains why a message did not arrive; admins also retry, and make endpoints of the platform's own.
    role_permissions = {"support": ("webhooks.view_*",), "admin": ("webhooks.*",)}

    def ready(self) -> None:
        from webhooks.event_types import TEST, register_event_type

        register_event_type(TEST)
        autodiscover_modules("announcements")
