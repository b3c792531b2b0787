from datetime import timedelta

from django.apps import AppConfig

from jobs.schedule import PeriodicWork


class OperationsConfig(AppConfig):
    name = "operations"
    periodic_work = (PeriodicWork(task="operations.report_emergency_accesses", every=timedelta(minutes=1)),)

    def ready(self) -> None:
        from operations.audit import receivers  # noqa: F401  # connects to Celery's signals
        from operations.metrics import receivers as metrics_receivers  # noqa: F401  # the same, and to ours
