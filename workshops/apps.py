from django.apps import AppConfig


class WorkshopsConfig(AppConfig):
    name = "workshops"

    def ready(self) -> None:
        from payments.registry import register
        from workshops.handler import WorkshopHandler  # models are not loaded before ready()

        register(WorkshopHandler())
