from datetime import timedelta

from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class OperationsConfig(AppConfig):
    name = "operations"
    periodic_work = (PeriodicWork(task="operations.report_emergency_accesses", every=timedelta(minutes=1)),)

    def ready(self) -> None:
        from django.urls import reverse

        from notifications.advice import Advice, register_advice
        from operations.audit import receivers  # noqa: F401  # connects to Celery's signals
        from operations.metrics import receivers as metrics_receivers  # noqa: F401  # the same, and to ours

        advice = Advice(
            "Ask the person if you did not expect this. You can end it on its page.",
            lambda access: reverse("admin:operations_emergencyaccess_change", args=[access]),
        )
        register_advice({"emergency-access": advice})
