from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"

    def ready(self) -> None:
        from payments import checks, signing_in  # noqa: F401  # connects the receiver and registers the check
