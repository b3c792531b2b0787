from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        from jobs import checks  # noqa: F401  # registers them

        # What durable work does, wherever it starts: worker, web process, management command or test.
        autodiscover_modules("performers")
